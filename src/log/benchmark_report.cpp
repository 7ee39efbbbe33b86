// The results of a benchmark, for people and for programs.
#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/benchmark_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

namespace mlaan {

std::string benchmark_table(const std::vector<BenchmarkResult>& results) {
  const auto kind_bytes = [](const BenchmarkResult& result, measure::MemoryKind kind) {
    return format_bytes(result.peak_by_kind.at(static_cast<std::size_t>(kind)));
  };
  Table table({"method", "modules", "window", "step s", "lowest", "highest", "images/s", "time ×",
               "work ×", "peak", "peak ×", "activations", "parameters", "gradients", "optimizer"});
  for (const auto& result : results) {
    table.add({result.method, std::to_string(result.modules), std::to_string(result.window),
               fixed(result.step_seconds, 3), fixed(result.step_seconds_lowest, 3),
               fixed(result.step_seconds_highest, 3), fixed(result.images_per_second, 0),
               fixed(result.time_ratio, 2), fixed(result.multiply_add_ratio, 2),
               format_bytes(result.peak_bytes), fixed(result.peak_ratio, 3),
               kind_bytes(result, measure::MemoryKind::activations),
               kind_bytes(result, measure::MemoryKind::parameters),
               kind_bytes(result, measure::MemoryKind::gradients),
               kind_bytes(result, measure::MemoryKind::optimizer_state)});
  }
  return table.to_string();
}

void write_benchmark(const std::filesystem::path& path,
                     const std::vector<BenchmarkResult>& results) {
  nlohmann::ordered_json document;
  document["results"] = nlohmann::ordered_json::array();
  for (const auto& result : results) {
    nlohmann::ordered_json json;
    json["method"] = result.method;
    json["model"] = result.model;
    json["modules"] = result.modules;
    json["window"] = result.window;
    json["batch"] = result.batch;
    json["step_seconds"] = result.step_seconds;
    json["step_seconds_lowest"] = result.step_seconds_lowest;
    json["step_seconds_highest"] = result.step_seconds_highest;
    json["images_per_second"] = result.images_per_second;
    json["peak_bytes"] = result.peak_bytes;
    for (std::size_t k = 0; k < result.peak_by_kind.size(); ++k) {
      const std::string kind = measure::to_string(static_cast<measure::MemoryKind>(k));
      json["peak_bytes_by_kind"][kind] = result.peak_by_kind.at(k);
    }
    json["multiply_adds"] = result.multiply_adds;
    json["parameters"] = result.parameters;
    json["auxiliary_parameters"] = result.auxiliary_parameters;
    json["time_ratio"] = result.time_ratio;
    json["peak_ratio"] = result.peak_ratio;
    json["multiply_add_ratio"] = result.multiply_add_ratio;
    document["results"].push_back(std::move(json));
  }
  write_text(path, document.dump(2) + "\n");
}

}  // namespace mlaan
