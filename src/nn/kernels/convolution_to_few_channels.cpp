// A convolution with few output channels.
#include "nn/kernels/convolution_to_few_channels.h"

#include "core/autocast_scope.h"
#include "core/defined_work.h"
#include "core/libtorch_compat.h"
#include "nn/kernels/convolution_edges.h"
#include "nn/kernels/zero_padding.h"

#include <ATen/Functions.h>
#include <torch/csrc/autograd/function.h>
#include <torch/csrc/autograd/variable.h>

#include <array>
#include <cstdint>
#include <tuple>
#include <utility>
#include <vector>

namespace mlaan {

using torch::Tensor;

namespace {

/// Adjacent output positions that are computed as channels of one position.
constexpr std::int64_t neighbours = 4;
/// Few enough that the outputs of all neighbours fit into a vector of 16 numbers.
constexpr std::int64_t few_channels = 4;

bool all_are(const torch::ExpandingArray<2>& values, std::int64_t value) {
  return (*values)[0] == value && (*values)[1] == value;
}

/// The kernel, once for each neighbour, shifted to the right by the neighbour's offset.
Tensor kernel_for_neighbours(const Tensor& kernel) {
  const auto columns = kernel.size(3);
  const Tensor wide = at::zeros(
      {neighbours, kernel.size(0), kernel.size(1), kernel.size(2), columns + neighbours - 1},
      kernel.options());
  for (std::int64_t i = 0; i < neighbours; ++i) {
    wide[i].narrow(3, i, columns).copy_(kernel);
  }
  return wide.flatten(0, 1).contiguous(torch::MemoryFormat::ChannelsLast);
}

Tensor convolve(const Tensor& input, const Tensor& kernel, const Tensor& bias,
                torch::IntArrayRef padding) {
  const auto columns = input.size(3) + 2 * padding[1] - kernel.size(3) + 1;
  if (columns % neighbours != 0) return at::conv2d(input, kernel, bias, /*stride=*/1, padding);
  const auto rows = input.size(2) + 2 * padding[0] - kernel.size(2) + 1;
  const DefinedWork without_zeros(input.size(0) * rows * columns * kernel.numel());
  const Tensor grouped =
      at::conv2d(input, kernel_for_neighbours(kernel),
                 bias.defined() ? bias.repeat({neighbours}) : bias, {1, neighbours}, padding);
  return grouped.permute({0, 2, 3, 1})
      .reshape({input.size(0), grouped.size(2), columns, kernel.size(0)})
      .permute({0, 3, 1, 2});
}

/// An autograd node whose edges lead to the input, the kernel and the bias.
struct FewOutputs : torch::autograd::Node {
  Tensor input;
  Tensor kernel;
  std::vector<std::int64_t> padding;

  torch::autograd::variable_list apply(torch::autograd::variable_list&& gradients) override {
    torch::autograd::variable_list results(3);
    Tensor gradient = std::move(gradients.at(0));
    gradients.clear();
    if (!gradient.defined()) return results;
    const torch::NoGradGuard no_grad;
    gradient = gradient.contiguous(torch::MemoryFormat::ChannelsLast);
    if (task_should_compute_output(2)) results[2] = gradient.sum({0, 2, 3});
    if (task_should_compute_output(1)) results[1] = of_kernel(gradient);
    if (task_should_compute_output(0)) {
      results[0] =
          std::get<0>(convolution_backward(gradient, input, kernel, padding, {true, false, false}));
    }
    return results;
  }

  void release_variables() override {
    input = Tensor();
    kernel = Tensor();
  }

 private:
  /// The kernel's gradient, computed as that of the reverse convolution, which reads the output's
  /// gradient and returns the input: its kernel is flipped and transposed.
  Tensor of_kernel(const Tensor& gradient) const {
    const Tensor turned =
        at::empty({kernel.size(1), kernel.size(0), kernel.size(2), kernel.size(3)},
                  kernel.options(), torch::MemoryFormat::ChannelsLast);
    const std::vector<std::int64_t> rest{kernel.size(2) - 1 - padding[0],
                                         kernel.size(3) - 1 - padding[1]};
    return std::get<1>(convolution_backward(input, gradient, turned, rest, {false, true, false}))
        .flip({2, 3})
        .transpose(0, 1);
  }

  static std::tuple<Tensor, Tensor, Tensor> convolution_backward(const Tensor& gradient,
                                                                 const Tensor& read,
                                                                 const Tensor& of,
                                                                 torch::IntArrayRef zeros,
                                                                 std::array<bool, 3> wanted) {
    return at::convolution_backward(gradient, read, of, at::OptionalIntArrayRef(),
                                    /*stride=*/{1, 1}, zeros, /*dilation=*/{1, 1},
                                    /*transposed=*/false, /*output_padding=*/{0, 0},
                                    /*groups=*/1, wanted);
  }
};

}  // namespace

bool is_convolution_to_few_channels(const torch::nn::Conv2dImpl& convolution, const Tensor& input) {
  const auto& options = convolution.options;
  const auto padding = zero_padding(convolution);
  return input.is_cpu() && input.is_contiguous(torch::MemoryFormat::ChannelsLast) &&
         !AutocastState::of(torch::kCPU).enabled && options.out_channels() <= few_channels &&
         options.in_channels() >= 2 * options.out_channels() && all_are(options.stride(), 1) &&
         all_are(options.dilation(), 1) && options.groups() == 1 &&
         (*padding)[0] < (*options.kernel_size())[0] && (*padding)[1] < (*options.kernel_size())[1];
}

torch::Tensor convolve_to_few_channels(const torch::nn::Conv2dImpl& convolution,
                                       const Tensor& input) {
  const Tensor& kernel = convolution.weight;
  const Tensor& bias = convolution.bias;
  const auto padding = zero_padding(convolution);
  Tensor output;
  {
    const torch::NoGradGuard no_grad;
    // Not a view of the grouped output, which later layers could not overwrite in place.
    output = convolve(input, kernel, bias, *padding).variable_data();
  }
  if (!asks_for_gradient(input, convolution)) return output;
  const auto node = compat::make_node<FewOutputs>();
  auto& site = static_cast<FewOutputs&>(*node);
  site.input = input.detach();
  site.kernel = kernel.detach();
  site.padding.assign(padding->begin(), padding->end());
  site.set_next_edges(edges_to(input, convolution));
  torch::autograd::create_gradient_edge(output, node);
  return output;
}

}  // namespace mlaan
