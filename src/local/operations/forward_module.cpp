// Runs a module forward.
#include "local/operations/forward_module.h"

#include "core/autocast_scope.h"
#include "local/execution.h"

namespace mlaan {

void ForwardModule::execute(Execution& execution) const {
  const EngineOptions& options = execution.options;
  Pass& pass = execution.pass;
  const AutocastScope scope(options.device, options.precision);
  const Boundary input = module() == 0 ? pass.input() : pass.outputs[module() - 1].read();
  torch::Tensor output = pass.modules[module()].forward(
      input, {keep_ == Keep::activations, keep_ == Keep::input, input_gradient_},
      execution.stream_of(module()));
  const torch::Dtype dtype = output.scalar_type();
  const bool travels_on = module() + 1 < pass.modules.size();
  if (options.boundaries != Precision::float32 && travels_on && output.is_floating_point()) {
    output = output.to(dtype_of(options.boundaries));
  }
  pass.outputs[module()].write({std::move(output), dtype});
}

Access ForwardModule::access() const {
  Access access;
  if (module() > 0) access.reads.push_back({Resource::Kind::output, module() - 1});
  access.reads.push_back({Resource::Kind::module_parameters, module()});
  access.writes = {{Resource::Kind::output, module()}, {Resource::Kind::activations, module()}};
  return access;
}

std::string ForwardModule::text() const {
  return "forward " + std::to_string(module() + 1);
}

}  // namespace mlaan
