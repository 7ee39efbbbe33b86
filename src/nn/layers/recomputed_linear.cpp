// Linear layers after cheap functions, whose results are recomputed in the backward pass.
#include "core/autocast_scope.h"
#include "core/libtorch_compat.h"

#include <mlaan/nn/layers/recomputed_linear.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <algorithm>
#include <functional>
#include <utility>
#include <vector>

namespace mlaan {
namespace {

using torch::Tensor;
using Function = std::function<Tensor(const Tensor& input)>;

/// A function and a linear layer as one autograd node. Its edges lead to the function's input, the
/// layer's weight and bias, and the function's parameters.
struct RecomputedLinear : torch::autograd::Node {
  Function function;
  Tensor input;
  Tensor weight;
  std::vector<Tensor> parameters;  ///< of the function
  AutocastState autocast;          ///< of the forward pass

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(3 + parameters.size());
    Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return results;
    std::vector<std::size_t> wanted;
    std::vector<Tensor> wanted_tensors;
    Tensor leaf = input.detach();
    leaf.set_requires_grad(task_should_compute_output(0));
    for (std::size_t i = 0; i <= parameters.size(); ++i) {
      const std::size_t edge = i == 0 ? 0 : i + 2;
      if (!task_should_compute_output(edge)) continue;
      wanted.push_back(edge);
      wanted_tensors.push_back(i == 0 ? leaf : parameters[i - 1]);
    }
    Tensor prepared;
    {
      const torch::AutoGradMode recording(!wanted.empty());
      const AutocastScope scope(leaf.device().type(), autocast);
      prepared = function(leaf);
    }
    Tensor of_prepared;
    {
      const torch::NoGradGuard no_grad;
      const Tensor rows = gradient.flatten(0, -2);
      if (task_should_compute_output(1)) {
        results[1] = rows.t().mm(prepared.detach().flatten(0, -2).to(rows.scalar_type()));
      }
      if (task_should_compute_output(2)) results[2] = rows.sum(0);
      if (wanted.empty()) return results;
      of_prepared =
          rows.mm(weight.to(rows.scalar_type())).view_as(prepared).to(prepared.scalar_type());
      gradient = Tensor();
    }
    auto found = torch::autograd::grad({prepared}, wanted_tensors, {of_prepared});
    for (std::size_t i = 0; i < wanted.size(); ++i) results[wanted[i]] = std::move(found[i]);
    return results;
  }

  void release_variables() override { input = Tensor(); }
};

Tensor linear_behind(Function function, std::vector<Tensor> parameters, const Tensor& input,
                     const Tensor& weight, const Tensor& bias, bool recomputes) {
  const auto takes_gradient = [](const Tensor& tensor) { return tensor.requires_grad(); };
  const bool recorded = torch::GradMode::is_enabled() &&
                        (takes_gradient(input) || takes_gradient(weight) || takes_gradient(bias) ||
                         std::any_of(parameters.begin(), parameters.end(), takes_gradient));
  if (!recomputes || !recorded || ReferenceKernelsScope::active())
    return at::linear(function(input), weight, bias);
  const auto node = compat::make_node<RecomputedLinear>();
  auto& site = static_cast<RecomputedLinear&>(*node);
  site.function = std::move(function);
  site.input = input.detach();
  site.weight = weight.detach();
  site.autocast = AutocastState::of(input.device().type());
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    output = at::linear(site.function(site.input), weight, bias);
  }
  torch::autograd::edge_list edges;
  for (const auto& tensor : {input, weight, bias}) {
    edges.push_back(torch::autograd::impl::gradient_edge(tensor));
  }
  for (const auto& parameter : parameters) {
    edges.push_back(torch::autograd::impl::gradient_edge(parameter));
  }
  site.parameters = std::move(parameters);
  site.set_next_edges(std::move(edges));
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

}  // namespace

torch::Tensor norm_linear(torch::nn::LayerNorm& norm, const torch::Tensor& input,
                          const torch::Tensor& weight, const torch::Tensor& bias, bool recomputes) {
  return linear_behind([norm](const Tensor& value) mutable { return norm(value); },
                       norm->parameters(), input, weight, bias, recomputes);
}

torch::Tensor gelu_linear(const torch::Tensor& input, const torch::Tensor& weight,
                          const torch::Tensor& bias, bool recomputes) {
  return linear_behind([](const Tensor& value) { return at::gelu(value); }, {}, input, weight, bias,
                       recomputes);
}

}  // namespace mlaan
