// A convolution of an upsampled map against upsampling and convolution one after the other.
#include <mlaan/nn/layers/upsampled_convolution.h>

#include <torch/torch.h>

#include <benchmark/benchmark.h>

namespace mlaan {
namespace {

namespace F = torch::nn::functional;

constexpr std::int64_t map_count = 128;
constexpr MapSize picture{32, 32};

torch::Tensor one_after_the_other(const torch::Tensor& maps, MapSize size,
                                  torch::nn::Conv2d& convolution) {
  return convolution(
      F::interpolate(maps, F::InterpolateFuncOptions()
                               .size(std::vector<std::int64_t>{size.rows, size.columns})
                               .mode(torch::kBilinear)
                               .align_corners(true)));
}

/// Forward and backward, from so many channels and positions a side to 12 channels of the picture.
template <class Function>
void decode(benchmark::State& state, Function function) {
  torch::nn::Conv2d convolution(torch::nn::Conv2dOptions(state.range(0), 12, 3).padding(1));
  convolution->weight.set_data(convolution->weight.contiguous(torch::MemoryFormat::ChannelsLast));
  const auto maps = torch::randn({map_count, state.range(0), state.range(1), state.range(1)})
                        .contiguous(torch::MemoryFormat::ChannelsLast)
                        .requires_grad_(true);
  const auto cotangent = torch::randn({map_count, 12, picture.rows, picture.columns})
                             .contiguous(torch::MemoryFormat::ChannelsLast);
  for (auto _ : state) {
    function(maps, picture, convolution).backward(cotangent);
    benchmark::DoNotOptimize(maps.grad());
  }
  state.SetItemsProcessed(state.iterations() * map_count);
}

void decode_upsampled(benchmark::State& state) {
  decode(state, &upsampled_convolution);
}
void decode_one_after_the_other(benchmark::State& state) {
  decode(state, &one_after_the_other);
}

BENCHMARK(decode_upsampled)->Args({64, 8})->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(decode_one_after_the_other)->Args({64, 8})->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mlaan
