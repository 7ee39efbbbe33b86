// A unit whose activations are dropped after its forward pass and recomputed when needed.
#include "local/recomputed_unit.h"

#include "core/autocast_scope.h"
#include "core/libtorch_compat.h"
#include "local/buffer_guard.h"
#include "local/gradient_tap.h"

#include <mlaan/core/random.h>
#include <mlaan/nn/dropped_output_scope.h>
#include <mlaan/nn/gradient_node.h>
#include <mlaan/nn/kept_statistics.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <optional>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

/// An autograd node for a whole unit. Its edges lead to the unit's input and parameters.
struct RecomputedUnit : GradientNode {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(parameters.size() + 1);
    Gradient cotangent = arrived(std::move(gradients.at(0)));
    gradients.clear();
    if (!cotangent.defined()) return results;
    std::vector<std::size_t> wanted;
    std::vector<torch::Tensor> wanted_tensors;
    torch::Tensor leaf = input.detach();
    leaf.set_requires_grad(task_should_compute_output(0));
    for (std::size_t i = 0; i <= parameters.size(); ++i) {
      if (!task_should_compute_output(i)) continue;
      wanted.push_back(i);
      wanted_tensors.push_back(i == 0 ? leaf : parameters[i - 1]);
    }
    torch::Tensor output = run_again(leaf, output_still_there());
    torch::Tensor sent = send_to(output, std::move(cotangent));
    auto found = send_back_for(std::move(output), std::move(sent), wanted_tensors);
    for (std::size_t i = 0; i < wanted.size(); ++i) results[wanted[i]] = std::move(found[i]);
    return results;
  }

  void release_variables() override {
    input = torch::Tensor();
    statistics.clear();
  }

  /// The unit's output, if somebody still holds it and nobody has changed it; else undefined.
  torch::Tensor output_still_there() const {
    torch::Tensor output(given.lock());
    return output.defined() && output._version() == given_version ? output : torch::Tensor();
  }

  torch::Tensor run_again(const torch::Tensor& leaf, const torch::Tensor& output) {
    const DefaultGeneratorGuard generator(leaf.device());
    set_default_generator_state(leaf.device(), random_state);
    const BufferGuard guard(buffers);
    const torch::AutoGradMode recording(true);
    const DroppedOutputScope dropped;
    const KeptStatisticsScope known(statistics, KeptStatisticsScope::Mode::take);
    const AutocastScope scope(leaf.device().type(), autocast);
    const ReferenceKernelsScope kernels(reference_kernels);
    return run(leaf, output);
  }

  torch::Tensor run(const torch::Tensor& value, const torch::Tensor& output = {}) const {
    return unit->recompute_forward(overwrites_input ? value.clone() : value, output);
  }

  std::optional<Unit> unit;
  bool overwrites_input = false;
  std::vector<torch::Tensor> parameters;  ///< those that require a gradient
  std::vector<torch::Tensor> buffers;
  torch::Tensor input;
  KeptStatistics statistics;  ///< of the forward pass
  torch::Tensor random_state;
  c10::weak_intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl> given{
      c10::intrusive_ptr<c10::TensorImpl, c10::UndefinedTensorImpl>()};
  std::int64_t given_version = 0;
  // Thread-local state of the forward pass, since the backward pass may run on another thread.
  AutocastState autocast;
  bool reference_kernels = false;
};

}  // namespace

torch::Tensor run_recomputed(const Unit& unit, const torch::Tensor& input, bool overwrites_input) {
  if (!unit.summands().empty()) {
    // Each summand is recomputed by itself, so that the activations of only one live at a time.
    return unit.sum_of_summands(input, [&](const Unit& summand, const torch::Tensor& value) {
      return run_recomputed(summand, value, overwrites_input);
    });
  }
  const auto node = compat::make_node<RecomputedUnit>();
  auto& site = static_cast<RecomputedUnit&>(*node);
  site.unit = unit;
  site.overwrites_input = overwrites_input;
  torch::autograd::edge_list edges{torch::autograd::impl::gradient_edge(input)};
  site.parameters = tensors_of(trainable(unit.named_parameters()));
  for (auto& edge : accumulation_edges(site.parameters)) edges.push_back(std::move(edge));
  const bool recorded =
      torch::GradMode::is_enabled() && (input.requires_grad() || !site.parameters.empty());
  if (!recorded) return site.run(input);
  site.buffers = tensors_of(unit.named_buffers());
  site.input = input.detach();
  site.random_state = default_generator_state(input.device());
  site.autocast = AutocastState::of(input.device().type());
  site.reference_kernels = ReferenceKernelsScope::active();
  site.set_next_edges(std::move(edges));

  torch::Tensor output;
  {
    const torch::NoGradGuard no_grad;
    const KeptStatisticsScope kept(site.statistics, KeptStatisticsScope::Mode::keep);
    const auto version = input._version();
    output = site.run(site.input).detach();
    if (input._version() != version) {
      throw UserError("unit '" + unit.name() +
                      "' changes its input in place, so it cannot be recomputed; let its first "
                      "operation be one that is not in place");
    }
  }
  torch::autograd::create_gradient_edge(output, node);
  site.given = output.getIntrusivePtr();
  site.given_version = output._version();
  return output;
}

}  // namespace mlaan
