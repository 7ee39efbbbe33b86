// Sends a cotangent of a window that spans two stages back to the previous stage.
#include "local/operations/pass_cotangent.h"

#include "local/execution.h"

namespace mlaan {

Access CotangentOperation::access() const {
  return {{}, {{Resource::Kind::cotangents, module()}}};
}

std::string CotangentOperation::text() const {
  return std::string(sends() ? "send" : "receive") + " cotangent of " +
         std::to_string(module() + 1) + " from group " + std::to_string(group() + 1);
}

void SendCotangent::execute(Execution& execution) const {
  torch::Tensor cotangent;
  execution.pass.cotangents[module()].take_of_windows(group(), module()).add_to(cotangent);
  const torch::Dtype dtype = cotangent.defined() ? cotangent.scalar_type() : torch::kFloat32;
  execution.options.stages.transport->send({std::move(cotangent), dtype}, channel());
}

void ReceiveCotangent::execute(Execution& execution) const {
  torch::Tensor cotangent = execution.options.stages.transport->receive(channel()).tensor;
  if (cotangent.defined()) cotangent = cotangent.to(execution.options.device);
  execution.pass.cotangents[module()].add_of_windows(group(), module(),
                                                     Gradient(std::move(cotangent)));
}

}  // namespace mlaan
