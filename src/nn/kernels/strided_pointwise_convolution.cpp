// A strided 1×1 convolution that oneDNN does not overrun memory in.
#include "nn/kernels/strided_pointwise_convolution.h"

#include "core/autocast_scope.h"
#include "nn/kernels/zero_padding.h"

#include <ATen/Context.h>
#include <ATen/Functions.h>

#include <array>
#include <cstdint>

namespace mlaan {
namespace {

/// Of AVX-512, the wider one.
constexpr std::int64_t block_channels = 16;

bool is_pointwise_and_strided(const torch::nn::Conv2dImpl& convolution) {
  const auto& options = convolution.options;
  const auto all_are = [](const std::array<std::int64_t, 2>& sizes, std::int64_t size) {
    return sizes[0] == size && sizes[1] == size;
  };
  return options.groups() == 1 && all_are(*options.kernel_size(), 1) &&
         !all_are(*options.stride(), 1) && all_are(*zero_padding(convolution), 0);
}

bool is_channels_last(const torch::Tensor& tensor) {
  return tensor.suggest_memory_format() == torch::MemoryFormat::ChannelsLast;
}

}  // namespace

bool overruns_in_onednn(const torch::nn::Conv2dImpl& convolution, const torch::Tensor& input) {
  return convolution.options.in_channels() < block_channels &&
         is_pointwise_and_strided(convolution) && input.dim() == 4 && input.device().is_cpu() &&
         input.scalar_type() == torch::kFloat32 &&
         !AutocastState::of(c10::DeviceType::CPU).enabled &&
         (is_channels_last(input) || is_channels_last(convolution.weight)) && at::hasMKLDNN();
}

torch::Tensor convolve(torch::nn::Conv2dImpl& convolution, const torch::Tensor& input) {
  if (!overruns_in_onednn(convolution, input)) return convolution.forward(input);
  const std::array<std::int64_t, 2> stride = *convolution.options.stride();
  const torch::Tensor read = input.slice(2, 0, input.size(2), stride[0])
                                 .slice(3, 0, input.size(3), stride[1])
                                 .contiguous(torch::MemoryFormat::ChannelsLast);
  return at::conv2d(read, convolution.weight, convolution.bias);
}

}  // namespace mlaan
