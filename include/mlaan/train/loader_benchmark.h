// How fast a loader gives batches when nothing else is asked of the machine.
#pragma once

#include <mlaan/train/settings.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct LoaderBenchmarkOptions {
  /// Passes over the images that count, after one that does not: files are in memory then.
  std::int64_t epochs = 3;
};

struct LoaderBenchmark {
  std::string dataset;
  std::int64_t workers = 0;
  std::int64_t batch = 0;
  std::int64_t images = 0;               ///< given in an epoch
  double images_per_second = 0;          ///< of the median epoch
  double fastest_images_per_second = 0;  ///< of the fastest
};

/// Takes all batches of the run's training loader, on all training images: read, augmented, and
/// normalised as training gets them.
LoaderBenchmark benchmark_loader(const Settings& settings, const LoaderBenchmarkOptions& options);

}  // namespace mlaan
