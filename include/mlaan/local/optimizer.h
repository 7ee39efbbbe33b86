// Factories of the engine's optimizers, one optimizer for each module and each auxiliary net.
#pragma once

#include <torch/optim/optimizer.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

namespace mlaan {

/// Makes a LibTorch optimizer of the given parameters. Called once for each module and net.
using OptimizerFactory =
    std::function<std::unique_ptr<torch::optim::Optimizer>(std::vector<torch::Tensor> parameters)>;

/// The storage format of an optimizer's moments.
enum class MomentFormat : std::uint8_t {
  float32,    ///< the parameters' own type
  eight_bit,  ///< a byte per element for large weights (see EightBitTensor), else float32
};

/// Whether a parameter is a vector, with one number per channel, such as biases and the weights of
/// normalisations.
bool is_vector(const torch::Tensor& parameter);

/// Stochastic gradient descent, with the defaults of the published recipes.
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = true;     ///< without effect at momentum 0
  bool decay_norms = true;  ///< whether weight decay applies to vectors, too (see is_vector())
  MomentFormat moments = MomentFormat::float32;
};

/// torch::optim::SGD, bit for bit, with operators that process all parameters of a part at once. A
/// step overwrites the gradients.
OptimizerFactory sgd(const SgdOptions& options = {});

/// Options of Adam (Kingma and Ba 2015, arXiv:1412.6980), AdamW and LAMB.
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decay_norms = true;  ///< whether weight decay applies to vectors, too (see is_vector())
  MomentFormat moments = MomentFormat::float32;
};

/// torch::optim::Adam: weight decay is added to the gradient.
OptimizerFactory adam(const AdamOptions& options = {});

/// torch::optim::AdamW: weight decay is decoupled from the gradient (Loshchilov and Hutter 2019,
/// arXiv:1711.05101).
OptimizerFactory adamw(const AdamOptions& options = {});

/// LAMB, for large batches (You et al. 2020, arXiv:1904.00962): AdamW's direction, scaled for each
/// weight tensor to the tensor's own norm, times the learning rate. Vectors are updated as by
/// AdamW, as in the authors' code.
/// \throws UserError for moments in eight bits.
OptimizerFactory lamb(const AdamOptions& options = {});

}  // namespace mlaan
