// Optimizers of LibTorch's that keep the moments of large weights in eight bits an element
// (Dettmers et al. 2022, arXiv:2110.02861).
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

/// What is remembered of a large weight: of SGD its momentum; of Adam and AdamW the mean of
/// gradients, and the root of that of their squares, which has half the decades of the squares.
struct EightBitState : torch::optim::OptimizerCloneableParamState<EightBitState> {
  std::vector<EightBitTensor> moments;
  std::int64_t step = 0;  ///< steps done
};

using StateSlot = std::unique_ptr<torch::optim::OptimizerParamState>;

/// One step of a parameter that is_worth_eight_bits(), in float32, some rows at a time: so that it
/// needs few bytes beside the state.
void step_in_eight_bits(const torch::optim::SGDOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);
void step_in_eight_bits(const torch::optim::AdamOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);
void step_in_eight_bits(const torch::optim::AdamWOptions& options, const torch::Tensor& parameter,
                        StateSlot& slot);

/// An optimizer whose state optimizer_state() finds EightBitStates in.
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

/// The optimizer, but for large weights. A step drops their gradients. SGD without momentum has no
/// state, and stays as it is.
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
