// Benchmark of a loader: images per second when the machine does nothing else.
#pragma once

#include <mlaan/train/settings.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct LoaderBenchmarkOptions {
  /// Timed passes over the images, after an untimed one that brings the files into memory.
  std::int64_t epochs = 3;
};

struct LoaderBenchmark {
  std::string dataset;
  std::int64_t workers = 0;
  std::int64_t batch = 0;
  std::int64_t images = 0;               ///< in an epoch
  double images_per_second = 0;          ///< of the median epoch
  double fastest_images_per_second = 0;  ///< of the fastest
};

/// Loads all batches of the run's training loader, over all training images: read, augmented and
/// normalised as for training.
LoaderBenchmark benchmark_loader(const Settings& settings, const LoaderBenchmarkOptions& options);

}  // namespace mlaan
