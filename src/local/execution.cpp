// Executes operations on the parts of an engine and the current pass.
#include "local/execution.h"

#include <mlaan/nn/batch_peers.h>
#include <mlaan/nn/reference_kernels_scope.h>

namespace mlaan {

void execute(const Operation& operation, Execution& execution, const OperationObserver& observer) {
  const PassSettings& settings = execution.pass.settings;
  const bool is_asked =
      operation.activity() == Activity::update ? settings.update : settings.computes;
  if (!is_asked) return;
  const ReferenceKernelsScope kernels(execution.options.reference_kernels);
  const JointStatisticsScope statistics(execution.options.joint_statistics ? execution.options.peers
                                                                           : nullptr);
  operation.execute(execution);
  execution.trained.update_exchanged();
  if (observer) observer(operation);
}

}  // namespace mlaan
