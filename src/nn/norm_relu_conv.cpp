// Batch normalisation, ReLU and convolution in a row, which need not keep what is between them.
#include "core/libtorch_compat.h"

#include <mlaan/nn/norm_relu_conv.h>

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/variable.h>

#include <tuple>
#include <utility>
#include <variant>
#include <vector>

namespace mlaan {
namespace {

using torch::Tensor;

struct NormReluConv : torch::autograd::Node {
  // In the order of the edges.
  Tensor input;
  Tensor scale;
  Tensor shift;
  Tensor kernel;

  Tensor mean;
  Tensor inverse_deviation;
  double epsilon = 0;
  /// That the convolution ran in: under autocast another one than its kernel's.
  c10::ScalarType dtype = c10::ScalarType::Float;
  std::vector<std::int64_t> stride;
  std::vector<std::int64_t> padding;
  std::vector<std::int64_t> dilation;
  std::int64_t groups = 1;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(4);
    Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return results;
    const torch::NoGradGuard no_grad;
    const bool before = task_should_compute_output(0) || task_should_compute_output(1) ||
                        task_should_compute_output(2);
    const Tensor none;
    Tensor middle = std::get<0>(at::native_batch_norm(input, scale, shift, none, none,
                                                      /*training=*/true, 0, epsilon))
                        .relu_();
    std::tie(gradient, results[3], std::ignore) = at::convolution_backward(
        gradient, middle.to(dtype), kernel.to(dtype), at::OptionalIntArrayRef(), stride, padding,
        dilation,
        /*transposed=*/false,
        /*output_padding=*/{0, 0}, groups, {before, task_should_compute_output(3), false});
    if (!before) return results;
    gradient = gradient.to(middle.scalar_type());
    at::threshold_backward_out(gradient, gradient, middle, 0);
    middle = Tensor();
    std::tie(results[0], results[1], results[2]) = at::native_batch_norm_backward(
        gradient, input, scale, none, none, mean, inverse_deviation, /*train=*/true, epsilon,
        {task_should_compute_output(0), task_should_compute_output(1),
         task_should_compute_output(2)});
    return results;
  }

  void release_variables() override {
    input = Tensor();
    mean = Tensor();
    inverse_deviation = Tensor();
  }
};

/// How far running statistics move in this step, which counts it.
double average_factor(torch::nn::BatchNorm2dImpl& normalisation) {
  if (!normalisation.options.track_running_stats()) return 0;
  normalisation.num_batches_tracked += 1;
  if (normalisation.options.momentum()) return *normalisation.options.momentum();
  return 1 / normalisation.num_batches_tracked.item<double>();
}

}  // namespace

Tensor norm_relu_conv(torch::nn::BatchNorm2d& normalisation, torch::nn::Conv2d& convolution,
                      const Tensor& input, bool rebuilds) {
  const bool recorded =
      torch::GradMode::is_enabled() &&
      (input.requires_grad() || normalisation->weight.requires_grad() ||
       normalisation->bias.requires_grad() || convolution->weight.requires_grad());
  if (!rebuilds || !recorded || !normalisation->is_training()) {
    return convolution(normalisation(input).relu_());
  }
  const auto node = compat::make_node<NormReluConv>();
  auto& site = static_cast<NormReluConv&>(*node);
  site.input = input.detach();
  site.scale = normalisation->weight.detach();
  site.shift = normalisation->bias.detach();
  site.kernel = convolution->weight.detach();
  site.epsilon = normalisation->options.eps();
  const auto& options = convolution->options;
  site.stride.assign(options.stride()->begin(), options.stride()->end());
  using std::get;  // LibTorch had a variant of its own, whose get() is found by its argument
  const auto padding = get<torch::ExpandingArray<2>>(options.padding());
  site.padding.assign(padding->begin(), padding->end());
  site.dilation.assign(options.dilation()->begin(), options.dilation()->end());
  site.groups = options.groups();
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    Tensor middle;
    std::tie(middle, site.mean, site.inverse_deviation) = at::native_batch_norm(
        site.input, site.scale, site.shift, normalisation->running_mean, normalisation->running_var,
        /*training=*/true, average_factor(*normalisation), site.epsilon);
    output = at::conv2d(middle.relu_(), site.kernel, {}, site.stride, site.padding, site.dilation,
                        site.groups);
    site.dtype = output.scalar_type();
  }
  const auto edge = [](const Tensor& tensor) {
    return torch::autograd::impl::gradient_edge(tensor);
  };
  site.set_next_edges({edge(input), edge(normalisation->weight), edge(normalisation->bias),
                       edge(convolution->weight)});
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

}  // namespace mlaan
