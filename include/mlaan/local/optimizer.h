// How an engine gets its optimizers: one for each module and each auxiliary net.
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

/// What an optimizer keeps its moments in.
enum class MomentFormat : std::uint8_t {
  float32,    ///< the parameters' own type
  eight_bit,  ///< of large weights a byte an element (see EightBitTensor), of others as float32
};

/// Whether a parameter is a vector: one number a channel, as biases are and what normalisations
/// scale and shift by.
bool is_vector(const torch::Tensor& parameter);

/// Stochastic gradient descent, with the defaults of the published recipes.
struct SgdOptions {
  double lr = 0.1;
  double momentum = 0.9;
  double weight_decay = 1e-4;
  bool nesterov = true;
  bool decay_norms = true;  ///< weight decay of vectors, too (see is_vector())
  MomentFormat moments = MomentFormat::float32;
};

/// torch::optim::SGD bit for bit, by operators that take all parameters of a part at once. A step
/// uses the gradients up.
OptimizerFactory sgd(const SgdOptions& options = {});

/// Steps by moments of the gradient (Kingma and Ba 2015, arXiv:1412.6980).
struct AdamOptions {
  double lr = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0;
  bool decay_norms = true;  ///< weight decay of vectors, too (see is_vector())
  MomentFormat moments = MomentFormat::float32;
};

/// torch::optim::Adam: weight decay is part of the gradient.
OptimizerFactory adam(const AdamOptions& options = {});

/// torch::optim::AdamW: weight decay beside the gradient (Loshchilov and Hutter 2019,
/// arXiv:1711.05101).
OptimizerFactory adamw(const AdamOptions& options = {});

/// LAMB, for large batches (You et al. 2020, arXiv:1904.00962): AdamW's direction, of each weight
/// as long as the weight itself, times the rate. Vectors are stepped as AdamW would, as in the
/// authors' code. \throws UserError for moments in eight bits.
OptimizerFactory lamb(const AdamOptions& options = {});

}  // namespace mlaan
