// The engine against the same network in plain LibTorch, and against itself without fused update.
#include <mlaan/local/method.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/config.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <benchmark/benchmark.h>

namespace mlaan {
namespace {

constexpr std::int64_t batch_size = 128;

/// ResNet-32 by a method, one block a module.
void step(benchmark::State& state, const std::string& method, bool fused_update) {
  Config config;
  config.apply_assignment("model=resnet32");
  config.apply_assignment(std::string("engine.fused_update=") + (fused_update ? "true" : "false"));
  const Backbone backbone = make_backbone(config, 10, {3, 32, 32});
  Engine engine(backbone, make_plan(config, backbone, method), make_engine_options(config));
  const auto images = torch::randn({batch_size, 3, 32, 32});
  const auto labels = torch::randint(0, 10, {batch_size});
  engine.step(images, labels);
  measure::reset_peak(torch::kCPU);
  for (auto _ : state) benchmark::DoNotOptimize(engine.step(images, labels).logits);
  state.counters["peak_MiB"] =
      static_cast<double>(measure::read_memory(torch::kCPU).peak) / (1 << 20);
  state.SetItemsProcessed(state.iterations() * batch_size);
}

/// The same backbone, forward and backward in one piece, without the engine.
void plain_step(benchmark::State& state) {
  Config config;
  config.apply_assignment("model=resnet32");
  const Backbone backbone = make_backbone(config, 10, {3, 32, 32});
  std::vector<torch::Tensor> parameters;
  for (const auto& named : backbone.named_parameters()) parameters.push_back(named.tensor);
  for (const auto& tensor : parameters) {
    if (tensor.dim() == 4) {
      torch::NoGradGuard no_grad;
      tensor.set_data(tensor.contiguous(torch::MemoryFormat::ChannelsLast));
    }
  }
  torch::optim::SGD optimizer(
      parameters, torch::optim::SGDOptions(0.1).momentum(0.9).nesterov(true).weight_decay(1e-4));
  const auto images =
      torch::randn({batch_size, 3, 32, 32}).contiguous(torch::MemoryFormat::ChannelsLast);
  const auto labels = torch::randint(0, 10, {batch_size});
  for (auto _ : state) {
    optimizer.zero_grad();
    torch::Tensor hidden = images;
    for (const auto& unit : backbone.units()) hidden = unit.forward(hidden);
    for (const auto& unit : backbone.head()->units()) hidden = unit.forward(hidden);
    const torch::Tensor logits = hidden;
    torch::nn::functional::cross_entropy(logits, labels).backward();
    optimizer.step();
    benchmark::DoNotOptimize(logits);
  }
  state.SetItemsProcessed(state.iterations() * batch_size);
}

BENCHMARK(plain_step)->Unit(benchmark::kMillisecond)->UseRealTime();

const bool registered = [] {
  for (const std::string& method : method_registry().names()) {
    for (const bool fused : {true, false}) {
      const std::string name = "step/" + method + (fused ? "/fused_update" : "/late_update");
      benchmark::RegisterBenchmark(name.c_str(),
                                   [=](benchmark::State& state) { step(state, method, fused); })
          ->Unit(benchmark::kMillisecond)
          ->UseRealTime();
    }
  }
  return true;
}();

}  // namespace
}  // namespace mlaan
