// Lets several layers read one tensor, and adds up their gradients.
#include "core/libtorch_compat.h"
#include "core/sum_in_place.h"

#include <mlaan/nn/fork.h>
#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace mlaan {
namespace {

/// Adds up the gradients of all readers. Its edge leads to the tensor that they read.
struct Fork : torch::autograd::Node {
  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const torch::NoGradGuard no_grad;
    torch::Tensor sum;
    for (auto& gradient : gradients) sum = sum_in_place(std::move(sum), std::move(gradient));
    return {std::move(sum)};
  }
};

}  // namespace

std::vector<torch::Tensor> fork(const torch::Tensor& tensor, std::size_t count) {
  if (count < 2 || !torch::GradMode::is_enabled() || !tensor.requires_grad() ||
      ReferenceKernelsScope::active()) {
    return std::vector<torch::Tensor>(count, tensor);
  }
  const auto node = compat::make_node<Fork>();
  node->set_next_edges({torch::autograd::impl::gradient_edge(tensor)});
  std::vector<torch::Tensor> aliases;
  for (std::size_t i = 0; i < count; ++i) {
    aliases.push_back(tensor.detach());
    torch::autograd::create_gradient_edge(aliases.back(), node);
  }
  return aliases;
}

}  // namespace mlaan
