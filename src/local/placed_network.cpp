// A backbone and a plan's nets as the engine runs them: on their device, cut into modules.
#include "local/placed_network.h"

#include <mlaan/measure/memory.h>

#include <c10/core/ScalarType.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

void check_precisions(const EngineOptions& options, torch::Dtype dtype) {
  check_precision(options.precision, options.device);
  if (options.precision != Precision::float32 && dtype != torch::kFloat32) {
    throw UserError(
        "engine.precision = \"" + to_string(options.precision) +
        "\" needs a network with float32 parameters, which autocast keeps; this one is in " +
        c10::toString(dtype));
  }
  const bool known =
      options.boundaries == Precision::float32 || options.boundaries == Precision::bfloat16;
  if (!known ||
      (options.precision == Precision::float16 && options.boundaries == Precision::bfloat16)) {
    throw UserError("engine.boundaries = \"" + to_string(options.boundaries) +
                    "\" cannot be combined with engine.precision = \"" +
                    to_string(options.precision) +
                    "\"; accepted: float32, which keeps them as the modules output them" +
                    (known ? "" : ", bfloat16"));
  }
}

bool recomputes(Recompute recompute) {
  return recompute == Recompute::activations || recompute == Recompute::units;
}

/// Maps each parameter of a module, including frozen ones, to the module's index.
std::unordered_map<const void*, std::size_t> modules_of_parameters(
    const std::vector<ModuleUnits>& modules) {
  std::unordered_map<const void*, std::size_t> known;
  for (std::size_t j = 0; j < modules.size(); ++j) {
    for (const auto& unit : modules[j].units()) {
      for (const auto& named : unit.named_parameters()) {
        known.emplace(named.tensor.unsafeGetTensorImpl(), j);
      }
    }
  }
  return known;
}

}  // namespace

PlacedNetwork::PlacedNetwork(const Backbone& backbone, const Plan& plan,
                             const EngineOptions& options)
    : nets_(mlaan::nets(plan)),
      head_(backbone.head()),
      device_(options.device),
      memory_format_(options.memory_format) {
  const torch::NoGradGuard no_grad;
  backbone.to(device_);
  for (const auto& net : nets_) net->to(device_);
  for (const auto& named : named_parameters(backbone, plan)) {
    if (named.tensor.dim() == 4) {
      named.tensor.set_data(named.tensor.contiguous(memory_format_));
    }
    measure::mark(named.tensor, measure::MemoryKind::parameters);
  }
  for (const auto& named : named_buffers(backbone, plan)) {
    measure::mark(named.tensor, measure::MemoryKind::parameters);
  }
  const auto parameters = backbone.named_parameters();
  if (!parameters.empty()) dtype_ = parameters[0].tensor.scalar_type();
  check_precisions(options, dtype_);
  for (const auto& net : nets_)
    net_parameters_.push_back(tensors_of(trainable(net->named_parameters())));
  set_recompute(backbone, plan);
}

void PlacedNetwork::set_recompute(const Backbone& backbone, const Plan& plan) {
  modules_.clear();
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    const Recompute recompute = recompute_of_module(plan, j);
    std::vector<UnitSettings> settings;
    for (auto i = plan.partition.first_unit(j); i <= plan.partition.last_unit(j); ++i) {
      backbone.units()[i].set_recomputes(recomputes(recompute));
      const bool before_blocks = i + backbone.block_count() < backbone.size();
      settings.push_back({backbone.overwrites_input(i),
                          recompute == Recompute::units ||
                              (recompute == Recompute::activations && before_blocks)});
    }
    modules_.emplace_back(module_units(plan, backbone, j), std::move(settings), device_);
  }
  recomputed_nets_.clear();
  for (std::size_t n = 0; n < nets_.size(); ++n) {
    const Recompute recompute = recompute_of_net(plan, n);
    for (const auto& unit : nets_[n]->units()) unit.set_recomputes(recomputes(recompute));
    recomputed_nets_.push_back(recompute == Recompute::units);
  }
}

torch::TensorOptions PlacedNetwork::tensor_options() const {
  return torch::TensorOptions(device_).dtype(dtype_);
}

torch::Tensor PlacedNetwork::place_images(const torch::Tensor& images) const {
  const auto format = images.dim() == 4 ? memory_format_ : torch::MemoryFormat::Contiguous;
  return images.to(tensor_options(), /*non_blocking=*/true, /*copy=*/false, format);
}

PartFacts PlacedNetwork::part_facts(const Plan& plan) const {
  PartFacts facts;
  for (const auto& module : modules_) facts.modules.push_back(!module.parameters().empty());
  for (const auto& parameters : net_parameters_) facts.nets.push_back(!parameters.empty());
  const auto module_of = modules_of_parameters(modules_);
  std::unordered_map<const void*, std::size_t> followed;  // twin → module that it follows
  for (const auto& average : plan.averages) {
    for (std::size_t i = 0; i < average.average.size(); ++i) {
      const auto source = module_of.find(average.source[i].unsafeGetTensorImpl());
      if (source == module_of.end()) continue;
      followed.emplace(average.average[i].unsafeGetTensorImpl(), source->second);
    }
  }
  for (const auto& net : nets_) {
    std::vector<std::size_t> twins;
    for (const auto& named : net->named_parameters()) {
      const auto found = followed.find(named.tensor.unsafeGetTensorImpl());
      if (found != followed.end()) twins.push_back(found->second);
    }
    std::sort(twins.begin(), twins.end());
    twins.erase(std::unique(twins.begin(), twins.end()), twins.end());
    facts.twins.push_back(std::move(twins));
  }
  return facts;
}

void set_training(const Backbone& backbone, const PlacedNetwork& network, bool on) {
  backbone.train(on);
  for (const auto& net : network.nets()) net->train(on);
}

}  // namespace mlaan
