// Costs of a plan's modules and auxiliary nets, found by running them.
#include "local/buffer_guard.h"
#include "local/gradient_tap.h"

#include <mlaan/core/random.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/measure/cost.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/probe.h>

#include <algorithm>
#include <map>
#include <utility>

namespace mlaan {
namespace {

constexpr std::int64_t images_in_trial = 4;

std::vector<std::string> names_of(const std::vector<Unit>& units) {
  std::vector<std::string> names;
  names.reserve(units.size());
  for (const auto& unit : units) names.push_back(unit.description());
  return names;
}

std::int64_t parameter_count(const std::vector<Unit>& units) {
  std::int64_t count = 0;
  for (const auto& unit : units) count += element_count(unit.named_parameters());
  return count;
}

std::vector<torch::Tensor> buffers_of(const std::vector<Unit>& units) {
  std::vector<torch::Tensor> buffers;
  for (const auto& unit : units) {
    for (auto& named : unit.named_buffers()) buffers.push_back(std::move(named.tensor));
  }
  return buffers;
}

/// Runs units forward in training mode on a batch of zeros; the costs are those of one image.
ForwardCost measure_units(const std::vector<Unit>& units, const Shape& input_shape) {
  const auto buffers = buffers_of(units);
  const BufferGuard guard(buffers);
  for (const auto& unit : units) unit.train(true);
  const auto parameters = units.front().named_parameters();
  const auto type = parameters.empty() ? torch::kFloat32 : parameters[0].tensor.scalar_type();
  // The input is allocated before the first memory reading and outlives the last, so that its bytes
  // do not count.
  const GradientTap input(zero_batch(images_in_trial, input_shape, type));
  ForwardCost cost;
  cost.parameters = parameter_count(units);
  const measure::MultiplyAddCounter multiply_adds;
  const std::int64_t before = measure::read_memory(torch::kCPU).live;
  torch::Tensor value = input.tensor();
  for (const auto& unit : units) value = unit.forward(std::move(value));
  cost.activation_bytes = (measure::read_memory(torch::kCPU).live - before) / images_in_trial;
  cost.multiply_adds = multiply_adds.count() / images_in_trial;
  return cost;
}

std::vector<ForwardCost> unit_costs(const Backbone& backbone) {
  const DefaultGeneratorGuard generator(torch::kCPU);
  std::vector<ForwardCost> costs;
  for (std::size_t i = 0; i < backbone.size(); ++i) {
    costs.push_back(measure_units({backbone.units()[i]}, backbone.input_shape(i)));
  }
  return costs;
}

/// The module whose output a net reads, be it a supervision's net or the trunk of one.
std::size_t module_of(const AuxiliaryNet& net, const Plan& plan) {
  return std::find_if(plan.supervisions.begin(), plan.supervisions.end(),
                      [&](const Supervision& supervision) {
                        return supervision.net.get() == &net ||
                               supervision.net->trunk().get() == &net;
                      })
      ->last;
}

double runs_of(const AuxiliaryNet& net, const Plan& plan) {
  std::map<std::pair<std::size_t, const Loss*>, double> runs;
  for (const auto& supervision : plan.supervisions) {
    if (highest_weight(supervision) == 0) continue;
    if (supervision.net.get() == &net) {
      runs[{supervision.last, supervision.loss.get()}] = supervision.probability;
    } else if (supervision.net->trunk().get() == &net) {
      runs[{supervision.last, nullptr}] = supervision.probability;
    }
  }
  double sum = 0;
  for (const auto& [use, probability] : runs) sum += probability;
  return sum;
}

/// Shape of one sample of the net's output for features of the given shape.
Shape output_shape(const AuxiliaryNet& net, const Shape& features) {
  const torch::NoGradGuard no_grad;
  const auto parameters = net.named_parameters();
  torch::Tensor sample = zero_batch(
      1, features, parameters.empty() ? torch::TensorOptions() : parameters[0].tensor.options());
  net.train(false);
  return shape_of(net.forward(std::move(sample)));
}

}  // namespace

CostReport cost_report(const Backbone& backbone, const Plan& plan) {
  const DefaultGeneratorGuard generator(torch::kCPU);
  CostReport report;
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    const auto units = module_units(plan, backbone, j);
    report.modules.push_back(
        {names_of(units), backbone.output_shape(plan.partition.last_unit(j)),
         measure_units(units, backbone.input_shape(plan.partition.first_unit(j)))});
  }
  report.head = measure_units(backbone.head()->units(), backbone.output_shape(backbone.size() - 1));
  for (const auto& net : nets(plan)) {
    NetCost cost{net->name().empty() ? "head" : net->name(),
                 module_of(*net, plan),
                 names_of(net->units()),
                 {},
                 runs_of(*net, plan),
                 {}};
    Shape reads = backbone.output_shape(plan.partition.last_unit(cost.module));
    if (net->trunk()) reads = output_shape(*net->trunk(), reads);
    cost.cost = measure_units(net->units(), reads);
    for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
      if (plan.supervisions[s].net == net) cost.supervisions.push_back(s);
    }
    report.nets.push_back(std::move(cost));
  }
  return report;
}

std::vector<std::int64_t> unit_activation_bytes(const Backbone& backbone) {
  std::vector<std::int64_t> bytes;
  for (const auto& cost : unit_costs(backbone)) bytes.push_back(cost.activation_bytes);
  return bytes;
}

std::vector<std::int64_t> unit_multiply_adds(const Backbone& backbone) {
  std::vector<std::int64_t> multiply_adds;
  for (const auto& cost : unit_costs(backbone)) multiply_adds.push_back(cost.multiply_adds);
  return multiply_adds;
}

}  // namespace mlaan
