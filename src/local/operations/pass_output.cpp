// Sends a module's output to the next stage.
#include "local/operations/pass_output.h"

#include "local/execution.h"

namespace mlaan {

void SendOutput::execute(Execution& execution) const {
  Boundary output = execution.pass.outputs[module()].read();
  execution.options.stages.transport->send({std::move(output.tensor), output.dtype}, channel());
}

Access SendOutput::access() const {
  return {{{Resource::Kind::output, module()}}, {}};
}

std::string SendOutput::text() const {
  return "send output of " + std::to_string(module() + 1);
}

void ReceiveOutput::execute(Execution& execution) const {
  StageMessage message = execution.options.stages.transport->receive(channel());
  execution.pass.outputs[module()].write(
      {message.tensor.to(execution.options.device), message.dtype});
}

Access ReceiveOutput::access() const {
  return {{}, {{Resource::Kind::output, module()}}};
}

std::string ReceiveOutput::text() const {
  return "receive output of " + std::to_string(module() + 1);
}

}  // namespace mlaan
