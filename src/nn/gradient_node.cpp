// Autograd nodes that accept a gradient in any form.
#include <mlaan/nn/gradient_node.h>

#include <ATen/Functions.h>

namespace mlaan {

torch::Tensor GradientNode::take(Gradient gradient, const torch::Tensor& output) {
  taken_ = std::move(gradient);
  if (taken_.is_pooled()) return at::zeros({}, output.options()).expand(output.sizes());
  return taken_.take_numbers();
}

Gradient GradientNode::arrived(torch::Tensor brought) {
  Gradient gradient = std::exchange(taken_, {});
  if (!gradient.is_pooled()) return std::move(gradient).with_numbers(std::move(brought));
  stand_in_ = std::move(brought);
  return gradient;
}

torch::Tensor send_to(const torch::Tensor& output, Gradient gradient) {
  auto* node = dynamic_cast<GradientNode*>(output.grad_fn().get());
  if (node == nullptr) return std::move(gradient).materialise();
  return node->take(std::move(gradient), output);
}

}  // namespace mlaan
