// A unit: a piece of a network that is never cut.
#include <mlaan/nn/batch_peers.h>
#include <mlaan/nn/dropped_output_scope.h>
#include <mlaan/nn/fork.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/recomputes_activations.h>
#include <mlaan/nn/unit.h>

#include <c10/util/Exception.h>

namespace mlaan {
namespace {

std::string join(const std::string& prefix, const std::string& name) {
  if (prefix.empty() || name.empty()) return prefix + name;
  return prefix + "." + name;
}

/// A layer's prefix in a copy of its unit: the copy's name replaces the unit's at the front.
std::string renamed(const std::string& prefix, const std::string& unit, const std::string& copy) {
  if (prefix == unit) return copy;
  const std::string front = unit + ".";
  const bool below_unit = prefix.compare(0, front.size(), front) == 0;
  return join(copy, below_unit ? prefix.substr(front.size()) : prefix);
}

/// Runs a layer; one of LibTorch's batch normalisations over all processes where they are to.
torch::Tensor run_layer(torch::nn::AnyModule& layer, torch::Tensor input) {
  if (JointStatisticsScope::active() == nullptr) return layer.forward(std::move(input));
  const auto module = layer.ptr();
  if (auto maps = std::dynamic_pointer_cast<torch::nn::BatchNorm2dImpl>(module)) {
    torch::nn::BatchNorm2d normalisation(std::move(maps));
    return plain_norm(normalisation, input);
  }
  if (auto features = std::dynamic_pointer_cast<torch::nn::BatchNorm1dImpl>(module)) {
    torch::nn::BatchNorm1d normalisation(std::move(features));
    return plain_norm(normalisation, input);
  }
  return layer.forward(std::move(input));
}

}  // namespace

Unit::Unit(std::string name, std::vector<Layer> layers)
    : name_(std::move(name)), description_(name_), layers_(std::move(layers)) {
  if (layers_.empty()) throw UserError("unit '" + name_ + "' has no layer; it needs at least one");
}

Unit Unit::sum(const std::string& name, std::vector<Unit> summands) {
  std::vector<Layer> layers;
  for (const auto& summand : summands) {
    for (const auto& layer : summand.layers_) {
      layers.push_back({join(name, layer.prefix), layer.module});
    }
  }
  Unit unit(name, std::move(layers));
  unit.summands_ = std::move(summands);
  return unit;
}

torch::Tensor Unit::sum_of_summands(
    const torch::Tensor& input,
    const std::function<torch::Tensor(const Unit& summand, const torch::Tensor& input)>& run)
    const {
  const auto ways = fork(input, summands_.size());
  torch::Tensor sum;
  for (std::size_t i = summands_.size(); i-- > 0;) {
    const torch::Tensor output = run(summands_[i], ways[i]);
    sum = sum.defined() ? output + sum : output;
  }
  return sum;
}

torch::Tensor Unit::forward(torch::Tensor input) const {
  if (!summands_.empty()) {
    const DroppedOutputScope dropped;
    return sum_of_summands(input, [](const Unit& summand, const torch::Tensor& value) {
      return summand.forward(value);
    });
  }
  for (auto& layer : layers_) input = run_layer(layer.module, std::move(input));
  return input;
}

torch::Tensor Unit::recompute_forward(torch::Tensor input, const torch::Tensor& output) const {
  if (summands_.empty() && layers_.size() == 1) {
    auto* layer = dynamic_cast<ReusesOutput*>(layers_.front().module.ptr().get());
    if (layer != nullptr) return layer->recompute_forward(input, output);
  }
  return forward(std::move(input));
}

std::vector<NamedTensor> Unit::named_parameters() const {
  std::vector<NamedTensor> tensors;
  for (const auto& layer : layers_) {
    for (const auto& item : layer.module.ptr()->named_parameters()) {
      if (item.value().defined()) tensors.push_back({join(layer.prefix, item.key()), item.value()});
    }
  }
  return tensors;
}

std::vector<NamedTensor> Unit::named_buffers() const {
  std::vector<NamedTensor> tensors;
  for (const auto& layer : layers_) {
    for (const auto& item : layer.module.ptr()->named_buffers()) {
      if (item.value().defined()) tensors.push_back({join(layer.prefix, item.key()), item.value()});
    }
  }
  return tensors;
}

void Unit::train(bool on) const {
  for (const auto& layer : layers_) layer.module.ptr()->train(on);
}

void Unit::set_recomputes(bool on) const {
  for (const auto& layer : layers_) {
    for (const auto& module : layer.module.ptr()->modules()) {
      if (auto* recomputing = dynamic_cast<RecomputesActivations*>(module.get())) {
        recomputing->set_recomputes(on);
      }
    }
  }
}

void Unit::to(torch::Device device) const {
  for (const auto& layer : layers_) layer.module.ptr()->to(device);
}

void Unit::to(torch::Dtype dtype) const {
  // Not torch::nn::Module::to(), which changes the dtype of counters too.
  const auto change = [dtype](const std::vector<NamedTensor>& tensors) {
    for (const auto& named : tensors) {
      if (named.tensor.is_floating_point()) named.tensor.set_data(named.tensor.to(dtype));
    }
  };
  change(named_parameters());
  change(named_buffers());
}

Unit Unit::clone(const std::string& name) const {
  if (!summands_.empty()) {
    std::vector<Unit> copies;
    for (const auto& summand : summands_) copies.push_back(summand.clone(summand.name()));
    Unit copy = sum(name, std::move(copies));
    copy.set_description(description_);
    return copy;
  }
  std::vector<Layer> copies;
  copies.reserve(layers_.size());
  for (const auto& layer : layers_) {
    try {
      copies.push_back({renamed(layer.prefix, name_, name), layer.module.clone()});
    } catch (const c10::Error&) {
      throw UserError("unit '" + name_ + "' cannot be copied: its layer '" + layer.prefix +
                      "' of type " + layer.module.ptr()->name() +
                      " does not derive from torch::nn::Cloneable, as a copied layer must");
    }
  }
  Unit copy(name, std::move(copies));
  // Cloneable::clone() runs reset() on the copy, which leaves every parameter trainable.
  const auto originals = named_parameters();
  const auto parameters = copy.named_parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    parameters[i].tensor.set_requires_grad(originals[i].tensor.requires_grad());
  }
  copy.set_description(description_);
  return copy;
}

}  // namespace mlaan
