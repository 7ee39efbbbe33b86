// Runs an auxiliary net, and its loss, within a pass.
#include "local/net_run.h"

#include "core/autocast_scope.h"
#include "local/recomputed_unit.h"

#include <mlaan/nn/batch_peers.h>

#include <utility>

namespace mlaan {

bool is_evaluated_now(const Execution& execution, const Evaluation& evaluation, std::size_t net) {
  return is_evaluated(evaluation.probability, execution.options.seed,
                      execution.network.nets()[net]->name(), evaluation.module,
                      execution.pass.settings.choice);
}

torch::Tensor read(const Execution& execution, const torch::Tensor& input, LinearReading& reading) {
  const AutocastScope scope(execution.options.device, execution.options.precision);
  return reading.read(input);
}

torch::Tensor run_net(const Execution& execution, std::size_t index, std::size_t module,
                      const torch::Tensor& input, std::size_t first_unit) {
  const EngineOptions& options = execution.options;
  const AuxiliaryNet& net = *execution.network.nets()[index];
  seed_default_generator(
      options.device, net_stream(options.seed, net.name(), module, execution.pass.settings.draw));
  const auto version = input._version();
  const AutocastScope scope(options.device, options.precision);
  const bool recomputed = execution.network.recomputes_net(index);
  torch::Tensor output = input;
  for (std::size_t i = first_unit; i < net.units().size(); ++i) {
    const Unit& unit = net.units()[i];
    output = recomputed ? run_recomputed(unit, output) : unit.forward(std::move(output));
  }
  if (input._version() != version) {
    throw UserError("auxiliary net '" + net.name() +
                    "' changes its input in place; let its first operation be one that is not");
  }
  return output;
}

NetLoss run_to_loss(const Execution& execution, const Evaluation& evaluation,
                    const torch::Tensor& input, std::size_t first_unit) {
  torch::Tensor output = run_net(execution, evaluation.net, evaluation.module, input, first_unit);
  if (execution.options.precision != Precision::float32) {
    output = output.to(execution.network.dtype());
  }
  const bool by_head = execution.network.is_head(evaluation.net);
  const Pass& pass = execution.pass;
  NetLoss result;
  const Targets& targets = by_head ? pass.targets : pass.net_targets;
  const Loss& loss = *evaluation.loss;
  result.loss = execution.options.joint_losses && loss.compares_samples()
                    ? joint_loss(loss, output, targets.labels, *execution.options.peers)
                    : loss.function(output, targets);
  if (by_head) result.logits = output.detach();
  return result;
}

}  // namespace mlaan
