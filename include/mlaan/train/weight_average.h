// A moving average of a network's weights over training, kept beside it.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/train/options.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// average ← d·average + (1−d)·weight after every step, of all parameters and of the buffers that
/// are floating-point (running statistics); other buffers are copied (Polyak and Juditsky 1992; as
/// timm's --model-ema). The decay d after step t, from 1, is `decay`, or with warm-up
/// min(decay, 1 − (1 + t)^(−2/3)), so that the average is of the last part of a short training too.
///
/// It starts as the weights are, and takes as many bytes as they do.
class WeightAverage {
 public:
  WeightAverage(const Backbone& backbone, const WeightAverageOptions& options);

  /// After step `step`, from 1.
  void update(std::int64_t step);

  /// The averages, for checkpoints: "model_ema.layer1.0.conv1.weight".
  std::vector<NamedTensor> state() const;
  /// \throws UserError, and changes nothing, where one is missing or of another shape.
  void set_state(const std::vector<NamedTensor>& state);

  /// Puts the averages in the place of the network's weights, and the weights back.
  void exchange() const;

 private:
  WeightAverageOptions options_;
  std::vector<NamedTensor> weights_;    ///< the network's own
  std::vector<torch::Tensor> average_;  ///< of each of them
};

/// What the averages' names in checkpoints begin with.
inline constexpr const char* weight_average_prefix = "model_ema.";

/// The decay after step `step`, from 1.
double decay_at(const WeightAverageOptions& options, std::int64_t step);

/// The averages in the place of the weights, until the end of a scope.
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
