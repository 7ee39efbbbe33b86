// One module within a pass: its forward pass, kept activations, recomputation and backward pass.
#include "local/module_run.h"

#include "local/buffer_guard.h"
#include "local/recomputed_unit.h"

#include <mlaan/core/random.h>
#include <mlaan/nn/gradient_node.h>

namespace mlaan {

/// The input at which the module's graph begins.
torch::Tensor ModuleRun::make_leaf() {
  torch::Tensor leaf = input_.tensor.to(input_.dtype);
  if (!input_gradient_) return leaf;
  input_tap_.emplace(leaf);
  return input_tap_->tensor();
}

torch::Tensor ModuleRun::run(std::uint64_t stream) {
  const torch::Tensor input = make_leaf();
  const auto& units = units_->units();
  seed_default_generator(units_->device(), stream);
  // The previous module, and every net that reads it, still need this input unchanged.
  torch::Tensor value = units_->settings(0).overwrites_input && !units_->settings(0).recomputed
                            ? input.clone()
                            : input;
  const auto version = input._version();
  for (std::size_t i = 0; i < units.size(); ++i) {
    const UnitSettings& settings = units_->settings(i);
    value = settings.recomputed ? run_recomputed(units[i], value, settings.overwrites_input)
                                : units[i].forward(std::move(value));
  }
  if (input._version() != version) {
    throw UserError("unit '" + units.front().name() +
                    "' changes its input in place when training, but the module before still needs "
                    "it; let its first operation be one that is not in place");
  }
  return value;
}

torch::Tensor ModuleRun::forward(const Boundary& input, const KeptOfForward& kept,
                                 std::uint64_t stream) {
  input_ = {input.tensor.detach(), input.dtype};
  input_gradient_ = kept.input_gradient;
  const torch::AutoGradMode mode(kept.graph);
  {
    std::optional<KeptStatisticsScope> statistics;
    if (kept.input) statistics.emplace(statistics_, KeptStatisticsScope::Mode::keep);
    output_ = run(stream);
  }
  const torch::Tensor output = output_.detach();
  if (kept.graph) {
    input_ = {};
  } else {
    output_ = torch::Tensor();
    input_tap_.reset();
  }
  if (!kept.graph && !kept.input) release();
  return output;
}

void ModuleRun::recompute(std::uint64_t stream) {
  const BufferGuard guard(units_->buffers());
  const KeptStatisticsScope known(statistics_, KeptStatisticsScope::Mode::take);
  output_ = run(stream);
}

torch::Tensor ModuleRun::backward(Gradient cotangent, const BackwardSettings& settings) {
  if (!cotangent.defined()) return {};
  std::vector<torch::autograd::Edge> destinations;
  if (settings.parameters) destinations = accumulation_edges(units_->parameters());
  if (settings.input) destinations.push_back(input_tap_->edge());
  torch::Tensor sent = send_to(output_, std::move(cotangent));
  send_back(output_, std::move(sent), /*keep_graph=*/!settings.last, destinations);
  return settings.input ? input_tap_->take() : torch::Tensor();
}

void ModuleRun::release() {
  input_ = {};
  input_tap_.reset();
  output_ = torch::Tensor();
  statistics_.clear();
}

}  // namespace mlaan
