// Optimizers with 8-bit moments of large weights (Dettmers et al. 2022, arXiv:2110.02861).
#pragma once

#include "core/libtorch_compat.h"
#include "local/eight_bit.h"

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <cstdint>
#include <memory>
#include <vector>

namespace mlaan {

/// Optimizer state of a large weight. SGD: the momentum. Adam and AdamW: the mean of the gradients,
/// and the root of the mean of their squares, which spans half the decades of the squares.
struct EightBitState : torch::optim::OptimizerCloneableParamState<EightBitState> {
  std::vector<EightBitTensor> moments;
  std::int64_t step = 0;  ///< steps done
};

using StateSlot = std::unique_ptr<torch::optim::OptimizerParamState>;

/// One step of a parameter for which is_worth_eight_bits() holds. It is computed in float32, some
/// rows at a time, so that it needs little memory beside the state.
void step_in_eight_bits(const torch::optim::SGDOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);
void step_in_eight_bits(const torch::optim::AdamOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);
void step_in_eight_bits(const torch::optim::AdamWOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);

/// Marks optimizers whose states may be EightBitStates, for optimizer_state().
class KeepsEightBits {
 public:
  virtual ~KeepsEightBits() = default;

 protected:
  KeepsEightBits() = default;
};

template <class Optimizer>
struct OptionsOf {
  using Type = torch::optim::SGDOptions;
};
template <>
struct OptionsOf<torch::optim::Adam> {
  using Type = torch::optim::AdamOptions;
};
template <>
struct OptionsOf<torch::optim::AdamW> {
  using Type = torch::optim::AdamWOptions;
};

/// Steps large weights with 8-bit moments and leaves all other parameters to the base class. A step
/// drops the large weights' gradients. SGD without momentum has no state, so the base class steps
/// everything.
template <class Optimizer>
class EightBit : public Optimizer, public KeepsEightBits {
 public:
  using Optimizer::Optimizer;

  torch::Tensor step(torch::optim::Optimizer::LossClosure closure = nullptr) override {
    torch::Tensor loss;
    if (closure != nullptr) {
      const torch::AutoGradMode with_grad(true);
      loss = closure();
    }
    for (auto& group : this->param_groups_) {
      using Options = typename OptionsOf<Optimizer>::Type;
      const auto& options = static_cast<const Options&>(group.options());
      for (const auto& parameter : group.params()) {
        if (!parameter.grad().defined() || !has_moments(options)) continue;
        if (!is_worth_eight_bits(parameter)) continue;
        step_in_eight_bits(
            options, parameter,
            this->state_[compat::optimizer_state_key(parameter.unsafeGetTensorImpl())]);
        parameter.mutable_grad() = torch::Tensor();
      }
    }
    Optimizer::step();
    return loss;
  }

 private:
  static bool has_moments(const torch::optim::SGDOptions& options) {
    return options.momentum() != 0;
  }
  template <class Options>
  static bool has_moments(const Options&) {
    return true;
  }
};

}  // namespace mlaan
