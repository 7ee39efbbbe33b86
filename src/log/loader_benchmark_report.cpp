// The output of `mlaan bench loader`.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/loader_benchmark_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

namespace mlaan {

std::string loader_benchmark_text(const LoaderBenchmark& result) {
  return "  " + result.dataset + ": " + fixed(result.images_per_second, 1) + " images/s (" +
         fixed(result.fastest_images_per_second, 1) + " in the fastest epoch), " +
         std::to_string(result.workers) + " workers, batches of " + std::to_string(result.batch) +
         ", " + format_count(result.images) + " images an epoch\n";
}

void write_loader_benchmark(const std::filesystem::path& path, const LoaderBenchmark& result) {
  nlohmann::ordered_json json;
  json["dataset"] = result.dataset;
  json["workers"] = result.workers;
  json["batch"] = result.batch;
  json["images"] = result.images;
  json["images_per_second"] = result.images_per_second;
  json["fastest_images_per_second"] = result.fastest_images_per_second;
  write_text(path, json_text(json, 2) + "\n");
}

}  // namespace mlaan
