// A convolution to a picture's three channels, by mlaan and by LibTorch.
#include <mlaan/nn/layers/filter.h>

#include <torch/torch.h>

#include <benchmark/benchmark.h>

namespace mlaan {
namespace {

/// Forward and backward, from 12 channels, as InfoPro's decoders have them.
template <class Module>
void paint(benchmark::State& state, Module module) {
  for (auto& parameter : module->parameters()) {
    if (parameter.dim() == 4) {
      parameter.set_data(parameter.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  const auto maps = torch::randn({128, 12, 32, 32})
                        .contiguous(torch::MemoryFormat::ChannelsLast)
                        .requires_grad_(true);
  const auto cotangent =
      torch::randn({128, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  for (auto _ : state) {
    module(maps).backward(cotangent);
    benchmark::DoNotOptimize(maps.grad());
  }
  state.SetItemsProcessed(state.iterations() * maps.size(0));
}

torch::nn::Conv2dOptions options() {
  return torch::nn::Conv2dOptions(12, 3, 3).padding(1);
}

void paint_by_filter(benchmark::State& state) {
  paint(state, Filter(options(), "filter"));
}
void paint_by_libtorch(benchmark::State& state) {
  paint(state, torch::nn::Conv2d(options()));
}

BENCHMARK(paint_by_filter)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(paint_by_libtorch)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace mlaan
