// The forward pass of a trunk, a net that other nets read.
#include "local/operations/forward_trunk.h"

#include "local/execution.h"
#include "local/net_run.h"
#include "local/operations/net_access.h"

#include <algorithm>

namespace mlaan {

void ForwardTrunk::execute(Execution& execution) const {
  Pass& pass = execution.pass;
  const Boundary input = pass.outputs[module()].read();
  const auto& evaluations = execution.schedule.evaluations;
  const auto reader = std::find_if(evaluations.begin(), evaluations.end(), [&](const auto& some) {
    return some.module == module() && some.trunk == net_ && some.weight > 0;
  });
  if (reader == evaluations.end() || !is_evaluated_now(execution, *reader, net_)) return;
  TrunkRun trunk;
  trunk.input = GradientTap(input.tensor.to(input.dtype));
  trunk.output = run_net(execution, net_, module(), trunk.input.tensor());
  pass.trunks.emplace(std::make_pair(module(), net_), std::move(trunk));
}

Access ForwardTrunk::access() const {
  Access access = net_access(net_, twins_);
  access.reads.push_back({Resource::Kind::output, module()});
  access.writes.push_back({Resource::Kind::trunk, module(), net_});
  return access;
}

std::string ForwardTrunk::text() const {
  return "trunk " + std::to_string(net_ + 1) + " of " + std::to_string(module() + 1);
}

}  // namespace mlaan
