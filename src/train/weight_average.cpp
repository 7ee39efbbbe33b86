// A moving average of a network's weights over the training.
#include "core/libtorch_compat.h"

#include <mlaan/core/error.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/weight_average.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <unordered_map>

namespace mlaan {
namespace {

std::vector<NamedTensor> weights_of(const Backbone& backbone) {
  std::vector<NamedTensor> weights = backbone.named_parameters();
  for (auto& buffer : backbone.named_buffers()) weights.push_back(std::move(buffer));
  return weights;
}

}  // namespace

double decay_at(const WeightAverageOptions& options, std::int64_t step) {
  if (!options.warmup) return options.decay;
  return std::min(options.decay, 1 - std::pow(1 + static_cast<double>(step), -2.0 / 3));
}

WeightAverage::WeightAverage(const Backbone& backbone, const WeightAverageOptions& options)
    : options_(options), weights_(weights_of(backbone)) {
  const torch::NoGradGuard no_grad;
  const measure::MemoryKindScope kind(measure::MemoryKind::parameters);
  for (const auto& weight : weights_) average_.push_back(weight.tensor.detach().clone());
}

void WeightAverage::update(std::int64_t step) {
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> averages;
  std::vector<torch::Tensor> weights;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    if (average_[i].is_floating_point()) {
      averages.push_back(average_[i]);
      weights.push_back(weights_[i].tensor.detach());
    } else {
      average_[i].copy_(weights_[i].tensor);
    }
  }
  compat::foreach_lerp(averages, weights, 1 - decay_at(options_, step));
}

std::vector<NamedTensor> WeightAverage::state() const {
  std::vector<NamedTensor> state;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    state.push_back({std::string(weight_average_prefix) + weights_[i].name, average_[i]});
  }
  return state;
}

void WeightAverage::set_state(const std::vector<NamedTensor>& state) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<std::string, torch::Tensor> tensors;
  for (const auto& named : state) tensors.emplace(named.name, named.tensor);
  std::vector<torch::Tensor> sources;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    const std::string name = std::string(weight_average_prefix) + weights_[i].name;
    const auto found = tensors.find(name);
    if (found == tensors.end() || found->second.sizes() != average_[i].sizes()) {
      throw UserError("it has no '" + name +
                      "' of this network, which resuming with model_ema.enabled needs");
    }
    sources.push_back(found->second);
  }
  for (std::size_t i = 0; i < sources.size(); ++i) average_[i].copy_(sources[i]);
}

void WeightAverage::exchange() const {
  const torch::NoGradGuard no_grad;
  for (std::size_t i = 0; i < weights_.size(); ++i) {
    torch::Tensor weight = weights_[i].tensor;
    torch::Tensor average = average_[i];
    const torch::Tensor held = weight.detach();
    weight.set_data(average);
    average.set_data(held);
  }
}

}  // namespace mlaan
