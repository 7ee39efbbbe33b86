// How fast batches of the embedded data set come, by threads that draw and augment them.
#include <mlaan/train/config.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <benchmark/benchmark.h>

namespace mlaan {
namespace {

void batches(benchmark::State& state) {
  Config config;
  config.apply("workers", std::to_string(state.range(0)), "benchmark");
  const DataSource data = make_data(config);
  const auto loader = make_train_loader(config, data, all_indices(*data.train));
  std::int64_t epoch = 0;
  loader->start(epoch);
  std::int64_t images = 0;
  for (auto _ : state) {
    auto batch = loader->next();
    if (!batch) {
      loader->start(++epoch);
      batch = loader->next();
    }
    images += batch->labels.size(0);
  }
  state.SetItemsProcessed(images);
}

BENCHMARK(batches)->ArgName("workers")->Arg(0)->Arg(1)->Arg(2)->UseRealTime();

}  // namespace
}  // namespace mlaan
