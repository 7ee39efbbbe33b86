// The binary cross-entropy between maps of logits and pixels.
#include "nn/kernels/pixel_cross_entropy.h"

#include "core/libtorch_compat.h"

#include <mlaan/nn/reference_kernels_scope.h>

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <utility>

namespace mlaan {
namespace {

using torch::Tensor;

/// An autograd node whose edge leads to the logits.
struct PixelCrossEntropy : torch::autograd::Node {
  Tensor logits;
  Tensor pixels;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return {Tensor()};
    const torch::NoGradGuard no_grad;
    const Tensor each = gradient / logits.numel();
    return {logits.sigmoid().sub_(pixels).mul_(each)};
  }

  void release_variables() override {
    logits = Tensor();
    pixels = Tensor();
  }
};

/// The mean of −p·log σ(z) − (1 − p)·log(1 − σ(z)) = max(z, 0) − p·z − log σ(|z|). Nothing here
/// overflows, and LibTorch computes a sigmoid's logarithm faster than softplus().
Tensor mean_of(const Tensor& logits, const Tensor& pixels) {
  Tensor map = logits.abs().sigmoid_().log_();
  const Tensor below = map.mean();
  at::clamp_min_out(map, logits, 0);
  return map.addcmul_(logits, pixels, -1).mean().sub_(below);
}

}  // namespace

torch::Tensor reference_pixel_cross_entropy(const torch::Tensor& logits,
                                            const torch::Tensor& pixels) {
  return at::binary_cross_entropy_with_logits(logits, pixels);
}

torch::Tensor pixel_cross_entropy(const torch::Tensor& logits, const torch::Tensor& pixels) {
  if (ReferenceKernelsScope::active()) return reference_pixel_cross_entropy(logits, pixels);
  Tensor loss;
  {
    const torch::NoGradGuard no_grad;
    loss = mean_of(logits, pixels);
  }
  if (!torch::GradMode::is_enabled() || !logits.requires_grad()) return loss;
  const auto node = compat::make_node<PixelCrossEntropy>();
  auto& site = static_cast<PixelCrossEntropy&>(*node);
  site.logits = logits.detach();
  site.pixels = pixels;
  site.set_next_edges({torch::autograd::impl::gradient_edge(logits)});
  torch::autograd::create_gradient_edge(loss, node);
  return loss;
}

}  // namespace mlaan
