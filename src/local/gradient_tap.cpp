// Detached tensors whose gradient is handed over as autograd computed it.
#include "local/gradient_tap.h"

#include "core/libtorch_compat.h"

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace mlaan {

namespace {

/// Where a graph ends: keeps the gradient that arrives.
struct Receiver : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    gradient = std::move(gradients.at(0));
    return {};
  }

  torch::Tensor gradient;
};

}  // namespace

GradientTap::GradientTap(const torch::Tensor& source)
    : node_(compat::make_node<Receiver>()), tensor_(source.detach()) {
  torch::autograd::create_gradient_edge(tensor_, node_);
}

torch::autograd::Edge GradientTap::edge() const {
  return {node_, 0};
}

torch::Tensor GradientTap::take() const {
  return std::exchange(static_cast<Receiver&>(*node_).gradient, torch::Tensor());
}

std::vector<torch::autograd::Edge> accumulation_edges(
    const std::vector<torch::Tensor>& parameters) {
  std::vector<torch::autograd::Edge> edges;
  edges.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    edges.emplace_back(torch::autograd::impl::grad_accumulator(parameter), 0);
  }
  return edges;
}

void send_back(const torch::Tensor& output, const torch::Tensor& cotangent, bool keep_graph,
               const std::vector<torch::autograd::Edge>& destinations) {
  torch::autograd::Engine::get_default_engine().execute(
      {torch::autograd::impl::gradient_edge(output)}, {cotangent}, keep_graph,
      /*create_graph=*/false, /*accumulate_grad=*/true, destinations);
}

}  // namespace mlaan
