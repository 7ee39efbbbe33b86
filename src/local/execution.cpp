// What operations work with.
#include "local/execution.h"

namespace mlaan {

void execute(const Operation& operation, Execution& execution, const OperationObserver& observer) {
  const PassSettings& settings = execution.pass.settings;
  const bool is_asked =
      operation.activity() == Activity::update ? settings.update : settings.computes;
  if (!is_asked) return;
  operation.execute(execution);
  execution.trained.update_exchanged();
  if (observer) observer(operation);
}

}  // namespace mlaan
