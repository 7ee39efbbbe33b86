// Which parts of an engine belong to which stage.
#include "local/stage_parts.h"

#include "local/gradient_clipping.h"

#include <mlaan/core/error.h>
#include <mlaan/local/stage_schedule.h>

#include <string>
#include <utility>

namespace mlaan {

void check_goes_in_stages(const EngineOptions& options, const Plan& plan) {
  if (options.stages.is_one()) return;
  check(options.stages, plan.partition.size());
  const auto refuse = [](const std::string& what, const std::string& accepted) {
    throw UserError(what +
                    " is not possible with dist.stages above 1; accepted: dist.stages = 1, or " +
                    accepted);
  };
  if (options.loss_scale || options.precision == Precision::float16) {
    refuse("a loss scale, which follows from all gradients of the step before,",
           "engine.precision = \"float32\" or \"bfloat16\"");
  }
  if (options.clip_grad > 0 && is_trained_as_one(plan)) {
    refuse("optimizer.clip_grad of one window over all modules, whose norm is of all gradients,",
           "optimizer.clip_grad = 0, or a method with shorter windows");
  }
  if (options.reducer) refuse("training on shares of one batch", "as many processes as stages");
}

std::vector<std::size_t> find_net_stages(const PlacedNetwork& network, const Stages& stages,
                                         const Schedule& whole) {
  std::vector<std::string> names;
  for (const auto& net : network.nets()) names.push_back(net->name());
  return stages_of_nets(whole, stages, names);
}

std::vector<std::size_t> find_part_stages(const PlacedNetwork& network, const Stages& stages,
                                          const std::vector<std::size_t>& net_stages) {
  std::vector<std::size_t> part_stages;
  for (std::size_t j = 0; j < network.modules().size(); ++j) {
    part_stages.push_back(stages.of_module(j));
  }
  part_stages.insert(part_stages.end(), net_stages.begin(), net_stages.end());
  return part_stages;
}

std::vector<NamedTensor> tensors_of_stage(const PlacedNetwork& network,
                                          const std::vector<std::size_t>& part_stages,
                                          std::size_t stage) {
  std::vector<NamedTensor> tensors;
  const auto take = [&](std::vector<NamedTensor> more) {
    for (auto& named : more) tensors.push_back(std::move(named));
  };
  for (std::size_t p = 0; p < part_stages.size(); ++p) {
    if (part_stages[p] != stage) continue;
    if (p < network.modules().size()) {
      for (const auto& unit : network.modules()[p].units()) {
        take(unit.named_parameters());
        take(unit.named_buffers());
      }
    } else {
      const auto& net = network.nets()[p - network.modules().size()];
      take(net->named_parameters());
      take(net->named_buffers());
    }
  }
  return tensors;
}

}  // namespace mlaan
