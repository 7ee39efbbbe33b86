// One backward pass through a module.
#include "local/operations/backward_module.h"

#include "local/execution.h"

namespace mlaan {

void BackwardModule::execute(Execution& execution) const {
  Pass& pass = execution.pass;
  ModuleRun& run = pass.modules[module()];
  Cotangents& here = pass.cotangents[module()];
  const auto& parameters = execution.network.modules()[module()].parameters();
  Gradient cotangent =
      settings_.group ? here.take_group(*settings_.group) : Gradient(here.take_sum());
  Gradient kept;
  if (settings_.group && !settings_.parameters && !parameters.empty()) kept = cotangent.keep();
  Gradient passed_on(run.backward(std::move(cotangent), settings_));
  // Only after the backward pass: until then, one of the two may be a broadcast without memory.
  here.add_to_sum(std::move(kept));
  if (settings_.parameters) mark_gradients(parameters);
  if (settings_.last) run.release();
  if (!passed_on.defined()) return;
  const std::size_t before = module() - 1;
  pass.cotangents[before].add_of_windows(*settings_.group, before, std::move(passed_on));
}

Access BackwardModule::access() const {
  Access access{{{Resource::Kind::module_parameters, module()}},
                {{Resource::Kind::activations, module()}, {Resource::Kind::cotangents, module()}}};
  if (settings_.parameters) access.writes.push_back({Resource::Kind::module_gradients, module()});
  if (settings_.input) access.writes.push_back({Resource::Kind::cotangents, module() - 1});
  return access;
}

std::string BackwardModule::text() const {
  std::string text = "backward " + std::to_string(module() + 1);
  if (settings_.group) text += " from group " + std::to_string(*settings_.group + 1);
  if (!settings_.parameters) return text + ": input";
  return text + (settings_.input ? ": parameters and input" : ": parameters");
}

}  // namespace mlaan
