// An adaptive loss scale, which keeps small gradients in float16 from becoming 0.
#pragma once

#include <mlaan/local/engine.h>

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// The factor on every supervision's loss before its backward pass, by which every gradient is
/// divided before its optimizer's step. A part (module or net) with gradients that are not finite
/// is not stepped; the scale adapts once a step, to what was found in all parts.
///
/// On CUDA, unscale() waits for the device: one small copy for each part. In exchange, optimizers
/// need no change (a step is skipped, never computed from invented gradients and undone), and no
/// second copy of parameters and momentum is held. This concerns float16 alone.
class LossScale {
 public:
  explicit LossScale(const LossScaleOptions& options);

  double value() const { return value_; }

  /// Divides a part's gradients by the scale, in place. \return whether all of them are finite.
  bool unscale(const std::vector<torch::Tensor>& gradients);

  /// Adapts the scale: lowers it if any part's gradients since the last call were not finite,
  /// raises it after enough calls in a row without such gradients.
  void finish_step();

  /// Forgets the results of unscale() in a step that is abandoned.
  void forget_step() { all_finite_ = true; }

  /// Named tensors for a checkpoint: "loss_scale.value", "loss_scale.finite_steps".
  std::vector<NamedTensor> state() const;
  /// Ignores other names; if its own are missing, the scale starts anew.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  LossScaleOptions options_;
  double value_;
  std::int64_t finite_steps_ = 0;  ///< since the scale last changed
  bool all_finite_ = true;         ///< of this step's gradients so far
};

}  // namespace mlaan
