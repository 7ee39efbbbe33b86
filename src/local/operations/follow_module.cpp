// Moves twins after the update of the module that they follow.
#include "local/operations/follow_module.h"

#include "local/execution.h"

namespace mlaan {

void FollowModule::execute(Execution& execution) const {
  execution.twins.follow(module());
}

Access FollowModule::access() const {
  return {{}, {{Resource::Kind::module_parameters, module()}}};
}

std::string FollowModule::text() const {
  return "twins of " + std::to_string(module() + 1);
}

void SendParameters::execute(Execution& execution) const {
  execution.options.stages.transport->send({execution.twins.packed(module()), torch::kUInt8},
                                           channel());
}

Access SendParameters::access() const {
  return {{{Resource::Kind::module_parameters, module()}}, {}};
}

std::string SendParameters::text() const {
  return "send parameters of " + std::to_string(module() + 1);
}

void FollowReceived::execute(Execution& execution) const {
  const FollowingTwins::Next next = execution.twins.next(module());
  if (next == FollowingTwins::Next::rests) return;
  torch::Tensor message;
  if (next == FollowingTwins::Next::received) {
    message =
        execution.options.stages.transport->receive(channel()).tensor.to(execution.options.device);
  }
  execution.twins.follow_received(module(), message);
}

Access FollowReceived::access() const {
  return {{}, {{Resource::Kind::module_parameters, module()}}};
}

std::string FollowReceived::text() const {
  return "receive parameters of " + std::to_string(module() + 1);
}

}  // namespace mlaan
