// What operations work with.
#include "local/execution.h"

namespace mlaan {

void execute(Execution& execution, const std::function<void(const Operation&)>& observer) {
  for (const auto& operation : execution.schedule.operations) {
    if (!execution.pass.settings.update && operation->activity() == Activity::update) continue;
    operation->execute(execution);
    execution.trained.update_exchanged();
    if (observer) observer(*operation);
  }
}

}  // namespace mlaan
