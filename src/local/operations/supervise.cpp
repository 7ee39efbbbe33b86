// Runs a net and its loss, forward and backward.
#include "local/operations/supervise.h"

#include "local/execution.h"
#include "local/net_run.h"
#include "local/operations/net_access.h"

#include <mlaan/nn/linear_reading.h>

#include <torch/csrc/autograd/autograd.h>

namespace mlaan {

void Supervise::execute(Execution& execution) const {
  Pass& pass = execution.pass;
  const Evaluation& evaluation = execution.schedule.evaluations[evaluation_];
  Boundary boundary;
  TrunkRun* trunk = nullptr;
  if (trunk_) {
    const auto found = pass.trunks.find({module(), *trunk_});
    if (found != pass.trunks.end()) trunk = &found->second;
  } else {
    boundary = pass.outputs[module()].read();
  }
  if (evaluation.weight == 0) return;
  if (trunk_ ? trunk == nullptr : !is_evaluated_now(execution, evaluation, net_)) return;
  const auto reading = std::make_shared<LinearReading>(execution.network.nets()[net_]->units());
  const GradientTap input(read(
      execution, trunk != nullptr ? trunk->output : boundary.tensor.to(boundary.dtype), *reading));
  const NetLoss result = run_to_loss(execution, evaluation, input.tensor(), reading->size());
  for (const auto supervision : evaluation.supervisions) {
    pass.losses[supervision] = result.loss.detach();
  }
  if (result.logits.defined()) pass.logits = result.logits;
  // If nothing else reads the output, it is freed before the backward pass.
  boundary = {};
  const double factor = execution.trained.loss_scale() * pass.settings.share * evaluation.weight /
                        evaluation.probability;
  torch::autograd::backward({result.loss}, {torch::full_like(result.loss, factor)});
  mark_gradients(execution.network.net_parameters()[net_]);
  (trunk != nullptr ? trunk->cotangents : pass.cotangents[module()])
      .add(evaluation, input.take(), reading->size() > 0 ? reading : nullptr);
}

Access Supervise::access() const {
  Access access = net_access(net_, twins_);
  if (trunk_) {
    access.writes.push_back({Resource::Kind::trunk, module(), *trunk_});
  } else {
    access.reads.push_back({Resource::Kind::output, module()});
    access.writes.push_back({Resource::Kind::cotangents, module()});
  }
  return access;
}

std::string Supervise::text() const {
  return "supervise " + std::to_string(module() + 1) + " by net " + std::to_string(net_ + 1);
}

}  // namespace mlaan
