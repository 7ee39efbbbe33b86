// A loss scale that adapts itself, so that small gradients do not vanish in float16.
#pragma once

#include <mlaan/local/engine.h>

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// What every supervision's loss is multiplied by ahead of its backward pass, and every gradient is
/// divided by ahead of its optimizer's step. A part (module or net) whose gradients are not finite
/// is not stepped; the scale itself moves once a step, from what all parts found.
///
/// On CUDA, unscale() waits for the device: one small copy for each part. That is the price of
/// leaving optimizers as they are - any of them can be skipped, none is run on invented gradients
/// and put back - and of holding no second copy of parameters and momentum. It concerns float16
/// alone.
class LossScale {
 public:
  explicit LossScale(const LossScaleOptions& options);

  double value() const { return value_; }

  /// Divides a part's gradients by the scale, in place. \return whether all of them are finite.
  bool unscale(const std::vector<torch::Tensor>& gradients);

  /// Moves the scale: down if any part's gradients since the last call were not finite, up after
  /// enough calls in a row without.
  void finish_step();

  /// Forgets what was found of a step that is given up.
  void forget_step() { all_finite_ = true; }

  /// As named tensors, for a checkpoint: "loss_scale.value", "loss_scale.finite_steps".
  std::vector<NamedTensor> state() const;
  /// Names that are not its own are let pass; without its own it begins anew.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  LossScaleOptions options_;
  double value_;
  std::int64_t finite_steps_ = 0;  ///< since the scale moved
  bool all_finite_ = true;         ///< in this step, so far
};

}  // namespace mlaan
