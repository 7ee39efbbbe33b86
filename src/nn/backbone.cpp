// A backbone: a chain of units and a head, with the shapes that a probe found.
#include "nn/chain.h"

#include <mlaan/core/suggest.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/nn/probe.h>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>
#include <torch/nn/modules/pooling.h>

#include <algorithm>
#include <set>

namespace mlaan {
namespace {

bool is_normalisation(const torch::nn::Module& module) {
  using namespace torch::nn;
  return module.as<BatchNorm1d>() != nullptr || module.as<BatchNorm2d>() != nullptr ||
         module.as<BatchNorm3d>() != nullptr || module.as<LayerNorm>() != nullptr ||
         module.as<GroupNorm>() != nullptr;
}

/// Whether a layer belongs to the classifier after it: pooling to a fixed size, flattening.
bool leads_into_head(const torch::nn::Module& module) {
  using namespace torch::nn;
  return module.as<Flatten>() != nullptr || module.as<AdaptiveAvgPool1d>() != nullptr ||
         module.as<AdaptiveAvgPool2d>() != nullptr || module.as<AdaptiveMaxPool1d>() != nullptr ||
         module.as<AdaptiveMaxPool2d>() != nullptr;
}

ChainLayer::Role role_of(const torch::nn::Module& module) {
  if (leads_into_head(module)) return ChainLayer::Role::leads_into_head;
  const bool begins = !module.parameters().empty() && !is_normalisation(module);
  return begins ? ChainLayer::Role::begins_unit : ChainLayer::Role::joins;
}

void check_names_differ(const std::vector<NamedTensor>& tensors, const std::string& backbone) {
  std::set<std::string> names;
  for (const auto& named : tensors) {
    if (!names.insert(named.name).second) {
      throw UserError("two parameters of " + backbone + " are called '" + named.name +
                      "'; give every unit a name of its own");
    }
  }
}

}  // namespace

Backbone::Backbone(std::string name, std::vector<Unit> units, std::vector<Unit> head,
                   Shape input_shape)
    : name_(std::move(name)),
      units_(std::move(units)),
      head_(std::make_shared<AuxiliaryNet>("", std::move(head))),
      block_count_(units_.size()) {
  if (units_.empty()) throw UserError("backbone " + name_ + " has no unit; it needs at least one");
  check_names_differ(named_parameters(), name_);
  probe(input_shape);
}

void Backbone::probe(const Shape& input_shape) {
  const torch::NoGradGuard no_grad;
  train(false);
  const auto parameters = named_parameters();
  const auto options = parameters.empty() ? torch::TensorOptions() : parameters[0].tensor.options();
  torch::Tensor sample = zero_batch(1, input_shape, options.requires_grad(false));
  shapes_ = {input_shape};
  for (const auto& unit : units_) {
    const torch::Tensor input = sample;
    const auto version = input._version();
    sample = mlaan::probe(unit, input, name_);
    overwrites_input_.push_back(input._version() != version);
    shapes_.push_back(shape_of(sample));
  }
  for (const auto& unit : head_->units()) sample = mlaan::probe(unit, sample, name_);
  if (sample.dim() != 2) {
    throw UserError("the head of " + name_ + " must give one row of logits a sample; it gave " +
                    to_string(shape_of(sample)));
  }
  classes_ = sample.size(1);
  train(true);
}

Backbone Backbone::from(const torch::nn::Sequential& chain, const torch::Tensor& example,
                        const std::string& name) {
  if (example.dim() < 2) {
    throw UserError("the example for Backbone::from must be a batch; it has " +
                    std::to_string(example.dim()) + " dimensions");
  }
  std::vector<ChainLayer> layers;
  const auto children = chain->named_children();
  for (auto& layer : *chain) {
    layers.push_back({{children[layers.size()].key(), layer}, role_of(*layer.ptr())});
  }
  return cut_chain(std::move(layers), shape_of(example), name);
}

std::size_t Backbone::unit_index(const std::string& name) const {
  std::vector<std::string> names;
  for (std::size_t i = 0; i < units_.size(); ++i) {
    if (units_[i].name() == name) return i;
    names.push_back(units_[i].name());
  }
  throw UserError(unknown_name("unit of " + name_, name, names));
}

std::vector<NamedTensor> Backbone::named_parameters() const {
  std::vector<NamedTensor> all;
  for (const auto& unit : units_) {
    for (auto& named : unit.named_parameters()) all.push_back(std::move(named));
  }
  for (auto& named : head_->named_parameters()) all.push_back(std::move(named));
  return all;
}

std::vector<NamedTensor> Backbone::named_buffers() const {
  std::vector<NamedTensor> all;
  for (const auto& unit : units_) {
    for (auto& named : unit.named_buffers()) all.push_back(std::move(named));
  }
  for (auto& named : head_->named_buffers()) all.push_back(std::move(named));
  return all;
}

void Backbone::train(bool on) const {
  for (const auto& unit : units_) unit.train(on);
  head_->train(on);
}

void Backbone::to(torch::Device device) const {
  for (const auto& unit : units_) unit.to(device);
  head_->to(device);
}

void Backbone::to(torch::Dtype dtype) const {
  for (const auto& unit : units_) unit.to(dtype);
  for (const auto& unit : head_->units()) unit.to(dtype);
}

torch::Tensor Backbone::forward(torch::Tensor images) const {
  if (overwrites_input(0)) images = images.clone();
  for (const auto& unit : units_) images = unit.forward(std::move(images));
  return head_->forward(std::move(images));
}

}  // namespace mlaan
