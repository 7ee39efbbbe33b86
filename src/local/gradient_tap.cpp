// Detached tensors whose gradient is returned as autograd computed it.
#include "local/gradient_tap.h"

#include "core/channels_last.h"
#include "core/libtorch_compat.h"

#include <mlaan/core/error.h>

#include <torch/csrc/autograd/engine.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <sstream>
#include <utility>

namespace mlaan {

namespace {

/// The node at which a graph ends: keeps the gradient that arrives.
struct Receiver : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    gradient = std::move(gradients.at(0));
    return {};
  }

  torch::Tensor gradient;
};

/// The node at which a backward pass begins. Autograd's engine keeps the gradients it is called
/// with alive until the whole backward pass is over; a cotangent that this node emits is freed by
/// the first node that has used it.
struct Source : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&&) override {
    return {std::move(cotangent)};
  }

  torch::Tensor cotangent;
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
  torch::Tensor gradient = std::exchange(static_cast<Receiver&>(*node_).gradient, torch::Tensor());
  return has_channels_last(tensor_) ? with_rows_in_memory(std::move(gradient)) : gradient;
}

std::vector<torch::autograd::Edge> accumulation_edges(
    const std::vector<torch::Tensor>& parameters) {
  std::vector<torch::autograd::Edge> edges;
  edges.reserve(parameters.size());
  for (const auto& parameter : parameters) {
    if (!parameter.requires_grad()) {
      std::ostringstream shape;
      shape << parameter.sizes();
      throw UserError("a parameter of the shape " + shape.str() +
                      " was frozen after the engine was made; make a new engine");
    }
    edges.emplace_back(torch::autograd::impl::grad_accumulator(parameter), 0);
  }
  return edges;
}

namespace {

torch::autograd::variable_list send(const torch::autograd::Edge& from, torch::Tensor cotangent,
                                    bool keep_graph, bool accumulate,
                                    const std::vector<torch::autograd::Edge>& destinations) {
  const auto signal = torch::empty({}, cotangent.options());
  const auto node = compat::make_node<Source>();
  static_cast<Source&>(*node).cotangent = std::move(cotangent);
  node->add_input_metadata(signal);
  node->add_next_edge(from);
  return torch::autograd::Engine::get_default_engine().execute(
      {torch::autograd::Edge(node, 0)}, {signal}, keep_graph, /*create_graph=*/false, accumulate,
      destinations);
}

}  // namespace

void send_back(const torch::Tensor& output, torch::Tensor cotangent, bool keep_graph,
               const std::vector<torch::autograd::Edge>& destinations) {
  send(torch::autograd::impl::gradient_edge(output), std::move(cotangent), keep_graph,
       /*accumulate=*/true, destinations);
}

std::vector<torch::Tensor> send_back_for(torch::Tensor output, torch::Tensor cotangent,
                                         const std::vector<torch::Tensor>& inputs) {
  std::vector<torch::autograd::Edge> destinations;
  for (const auto& input : inputs) {
    destinations.push_back(torch::autograd::impl::gradient_edge(input));
  }
  const auto from = torch::autograd::impl::gradient_edge(output);
  output = torch::Tensor();
  return send(from, std::move(cotangent), /*keep_graph=*/false, /*accumulate=*/false, destinations);
}

}  // namespace mlaan
