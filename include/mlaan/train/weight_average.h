// A moving average of a network's weights, kept during training.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/train/options.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// After every step, average ← d·average + (1−d)·weight, for all parameters and for the buffers
/// that are floating-point (running statistics); other buffers are copied (Polyak and Juditsky
/// 1992; as timm's --model-ema). The decay d after step t, from 1, is `decay`, or with warm-up
/// min(decay, 1 − (1 + t)^(−2/3)), so that the average covers only the last part of a short
/// training too.
///
/// The average starts as a copy of the weights, and takes as many bytes.
class WeightAverage {
 public:
  WeightAverage(const Backbone& backbone, const WeightAverageOptions& options);

  /// Updates the average after step `step`, from 1.
  void update(std::int64_t step);

  /// The averages, for checkpoints: "model_ema.layer1.0.conv1.weight".
  std::vector<NamedTensor> state() const;
  /// \throws UserError, without changing anything, if a tensor is missing or has another shape.
  void set_state(const std::vector<NamedTensor>& state);

  /// Swaps the averages with the network's weights, in place.
  void exchange() const;

 private:
  WeightAverageOptions options_;
  std::vector<NamedTensor> weights_;    ///< the network's own
  std::vector<torch::Tensor> average_;  ///< of each of `weights_`
};

/// Prefix of the averages' names in checkpoints.
inline constexpr const char* weight_average_prefix = "model_ema.";

/// The decay after step `step`, from 1.
double decay_at(const WeightAverageOptions& options, std::int64_t step);

/// RAII guard: the network has the averages as its weights until the end of the scope.
class AveragedWeightsScope {
 public:
  explicit AveragedWeightsScope(const WeightAverage& average) : average_(average) {
    average_.exchange();
  }
  ~AveragedWeightsScope() { average_.exchange(); }
  AveragedWeightsScope(const AveragedWeightsScope&) = delete;
  AveragedWeightsScope& operator=(const AveragedWeightsScope&) = delete;

 private:
  const WeightAverage& average_;
};

}  // namespace mlaan
