// Recomputes a module's activations.
#include "local/operations/recompute_module.h"

#include "core/autocast_scope.h"
#include "local/execution.h"

namespace mlaan {

void RecomputeModule::execute(Execution& execution) const {
  const AutocastScope scope(execution.options.device, execution.options.precision);
  execution.pass.modules[module()].recompute(execution.stream_of(module()));
}

Access RecomputeModule::access() const {
  return {{{Resource::Kind::module_parameters, module()}},
          {{Resource::Kind::activations, module()}}};
}

std::string RecomputeModule::text() const {
  return "recompute " + std::to_string(module() + 1);
}

}  // namespace mlaan
