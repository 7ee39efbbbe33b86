// Brings a cotangent of a window that spans two stages back to the stage before.
#include "local/operations/pass_cotangent.h"

#include "local/execution.h"

namespace mlaan {

void SendCotangent::execute(Execution& execution) const {
  Cotangents& here = execution.pass.cotangents[module()];
  torch::Tensor cotangent;
  if (group_ == module()) {
    cotangent = here.take_sum();
  } else {
    here.take_group(group_).add_to(cotangent);
  }
  const torch::Dtype dtype = cotangent.defined() ? cotangent.scalar_type() : torch::kFloat32;
  execution.options.stages.transport->send({std::move(cotangent), dtype}, channel_);
}

Access SendCotangent::access() const {
  return {{}, {{Resource::Kind::cotangents, module()}}};
}

std::string SendCotangent::text() const {
  return "send cotangent of " + std::to_string(module() + 1) + " from group " +
         std::to_string(group_ + 1);
}

void ReceiveCotangent::execute(Execution& execution) const {
  torch::Tensor cotangent = execution.options.stages.transport->receive(channel_).tensor;
  if (cotangent.defined()) cotangent = cotangent.to(execution.options.device);
  Cotangents& here = execution.pass.cotangents[module()];
  if (group_ == module()) {
    here.add_to_sum({std::move(cotangent), nullptr});
  } else {
    here.add_to_group(group_, {std::move(cotangent), nullptr});
  }
}

Access ReceiveCotangent::access() const {
  return {{}, {{Resource::Kind::cotangents, module()}}};
}

std::string ReceiveCotangent::text() const {
  return "receive cotangent of " + std::to_string(module() + 1) + " from group " +
         std::to_string(group_ + 1);
}

}  // namespace mlaan
