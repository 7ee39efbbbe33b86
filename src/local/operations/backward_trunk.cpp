// The backward pass of a trunk, a net that other nets read.
#include "local/operations/backward_trunk.h"

#include "local/execution.h"
#include "local/operations/net_access.h"

namespace mlaan {

void BackwardTrunk::execute(Execution& execution) const {
  Pass& pass = execution.pass;
  auto node = pass.trunks.extract({module(), net_});
  if (node.empty()) return;
  TrunkRun& trunk = node.mapped();
  auto destinations = accumulation_edges(execution.network.net_parameters()[net_]);
  destinations.push_back(trunk.input.edge());
  for (const auto start : starts_) {
    torch::Tensor cotangent;
    trunk.cotangents.take_of_windows(start, module()).add_to(cotangent);
    if (!cotangent.defined()) continue;
    send_back(trunk.output, std::move(cotangent), /*keep_graph=*/start != starts_.back(),
              destinations);
    pass.cotangents[module()].add_of_windows(start, module(), Gradient(trunk.input.take()));
  }
  mark_gradients(execution.network.net_parameters()[net_]);
}

Access BackwardTrunk::access() const {
  Access access = net_access(net_, twins_);
  access.writes.push_back({Resource::Kind::trunk, module(), net_});
  access.writes.push_back({Resource::Kind::cotangents, module()});
  return access;
}

std::string BackwardTrunk::text() const {
  return "trunk " + std::to_string(net_ + 1) + " of " + std::to_string(module() + 1) + " backward";
}

}  // namespace mlaan
