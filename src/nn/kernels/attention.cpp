// Attention that keeps little for its backward pass.
#include "nn/kernels/attention.h"

#include "core/autocast_scope.h"
#include "core/libtorch_compat.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <cmath>
#include <utility>

namespace mlaan {

using torch::Tensor;

#if MLAAN_HAS_FUSED_ATTENTION

Tensor attend(const Tensor& projected, std::int64_t heads) {
  const auto batch = projected.size(0);
  const auto tokens = projected.size(1);
  const auto parts = projected.view({batch, tokens, 3, heads, -1}).permute({2, 0, 3, 1, 4});
  const Tensor output = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return output.transpose(1, 2).reshape({batch, tokens, -1});
}

#else

namespace {

/// Queries, keys and values of one head, as views of their projection: batch × tokens × width of a
/// head. Heads are processed one at a time, so that only one head's attention weights are alive.
struct HeadView {
  HeadView(const Tensor& projected, std::int64_t heads, std::int64_t head) {
    const auto width = projected.size(2) / (3 * heads);
    query = projected.narrow(2, head * width, width);
    key = projected.narrow(2, (heads + head) * width, width);
    value = projected.narrow(2, (2 * heads + head) * width, width);
  }

  double scale() const { return 1 / std::sqrt(static_cast<double>(query.size(2))); }
  Tensor weights() const {
    return at::softmax(at::bmm(query, key.transpose(1, 2)).mul_(scale()), 2);
  }

  Tensor query;
  Tensor key;
  Tensor value;
};

/// One head's slice of the output, or of the output's gradient.
Tensor head_part(const Tensor& output, std::int64_t heads, std::int64_t head) {
  const auto width = output.size(2) / heads;
  return output.narrow(2, head * width, width);
}

Tensor attend_without_graph(const Tensor& projected, std::int64_t heads) {
  Tensor output =
      at::empty({projected.size(0), projected.size(1), projected.size(2) / 3}, projected.options());
  for (std::int64_t head = 0; head < heads; ++head) {
    const HeadView view(projected, heads, head);
    head_part(output, heads, head).copy_(at::bmm(view.weights(), view.value));
  }
  return output;
}

/// Attention as one autograd node, which keeps only its input.
struct AttentionNode : torch::autograd::Node {
  Tensor projected;
  std::int64_t heads = 1;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined() || !task_should_compute_output(0)) return {Tensor()};
    const torch::NoGradGuard no_grad;
    const AutocastScope scope(projected.device().type(), AutocastState());
    Tensor result = at::empty_like(projected);
    for (std::int64_t head = 0; head < heads; ++head) {
      const HeadView view(projected, heads, head);
      const HeadView out(result, heads, head);
      const Tensor of_output = head_part(gradient, heads, head);
      const Tensor weights = view.weights();
      out.value.copy_(at::bmm(weights.transpose(1, 2), of_output));
      const Tensor of_weights = at::bmm(of_output, view.value.transpose(1, 2));
      const Tensor of_scores =
          at::_softmax_backward_data(of_weights, weights, 2, weights.scalar_type())
              .mul_(view.scale());
      out.query.copy_(at::bmm(of_scores, view.key));
      out.key.copy_(at::bmm(of_scores.transpose(1, 2), view.query));
    }
    return {result};
  }

  void release_variables() override { projected = Tensor(); }
};

}  // namespace

Tensor attend(const Tensor& projected, std::int64_t heads) {
  // Autocast is off, so that softmax has the projection's dtype; autocast would choose another.
  const AutocastScope scope(projected.device().type(), AutocastState());
  if (!torch::GradMode::is_enabled() || !projected.requires_grad()) {
    return attend_without_graph(projected, heads);
  }
  const auto node = compat::make_node<AttentionNode>();
  auto& site = static_cast<AttentionNode&>(*node);
  site.projected = projected.detach();
  site.heads = heads;
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    output = attend_without_graph(site.projected, heads);
  }
  site.set_next_edges({torch::autograd::impl::gradient_edge(projected)});
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

#endif

}  // namespace mlaan
