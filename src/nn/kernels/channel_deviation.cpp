// The standard deviation of each channel of each sample over its positions.
#include "nn/kernels/channel_deviation.h"

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

Tensor centred(const Tensor& maps) {
  return maps - maps.mean({2, 3}, /*keepdim=*/true);
}

double degrees_of_freedom(const Tensor& maps) {
  return static_cast<double>(maps.size(2) * maps.size(3) - 1);
}

/// An autograd node whose edge leads to the maps.
struct ChannelDeviation : torch::autograd::Node {
  Tensor maps;
  Tensor deviation;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    const Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return {Tensor()};
    const torch::NoGradGuard no_grad;
    const Tensor factor = (gradient / (deviation * degrees_of_freedom(maps)))
                              .masked_fill_(deviation == 0, 0)
                              .unsqueeze(2)
                              .unsqueeze(3);
    return {centred(maps).mul_(factor)};
  }

  void release_variables() override {
    maps = Tensor();
    deviation = Tensor();
  }
};

}  // namespace

torch::Tensor reference_channel_deviation(const torch::Tensor& maps) {
  const Tensor variance = centred(maps).square().sum({2, 3}) / degrees_of_freedom(maps);
  // The derivative of a square root at 0 is infinite, so no root is computed there.
  const Tensor varies = variance > 0;
  const Tensor nothing = at::zeros({}, variance.options());
  return at::where(varies, at::where(varies, variance, nothing + 1).sqrt(), nothing);
}

torch::Tensor channel_deviation(const torch::Tensor& maps) {
  if (ReferenceKernelsScope::active()) return reference_channel_deviation(maps);
  if (!maps.is_cpu()) return maps.flatten(2).std(2);
  Tensor deviation;
  {
    const torch::NoGradGuard no_grad;
    deviation = centred(maps.detach()).square_().sum({2, 3}).div_(degrees_of_freedom(maps)).sqrt_();
  }
  if (!torch::GradMode::is_enabled() || !maps.requires_grad()) return deviation;
  const auto node = compat::make_node<ChannelDeviation>();
  auto& site = static_cast<ChannelDeviation&>(*node);
  site.maps = maps.detach();
  // A detached alias: the output itself holds the node, which would be a reference cycle.
  site.deviation = deviation.detach();
  site.set_next_edges({torch::autograd::impl::gradient_edge(maps)});
  torch::autograd::create_gradient_edge(deviation, node);
  return deviation;
}

}  // namespace mlaan
