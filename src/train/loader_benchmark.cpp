// Measures how many images a second a loader delivers when nothing else runs.
#include "measure/timing.h"

#include <mlaan/train/loader_benchmark.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <vector>

namespace mlaan {

LoaderBenchmark benchmark_loader(const Settings& settings, const LoaderBenchmarkOptions& options) {
  const DataSource data = make_data(settings);
  const auto loader = make_train_loader(settings, data, all_indices(*data.train));
  LoaderBenchmark result;
  result.dataset = data.name;
  result.workers = settings.get<RunOptions>().workers;
  result.batch = settings.get<RunOptions>().batch_size;
  result.images = loader->samples_per_epoch();
  std::vector<double> seconds;
  for (std::int64_t epoch = 0; epoch <= options.epochs; ++epoch) {
    const auto start = Clock::now();
    loader->start(epoch);
    while (loader->next()) {
    }
    if (epoch > 0) seconds.push_back(seconds_since(start));
  }
  const auto images = static_cast<double>(result.images);
  result.images_per_second = images / median(seconds);
  result.fastest_images_per_second = images / *std::min_element(seconds.begin(), seconds.end());
  return result;
}

}  // namespace mlaan
