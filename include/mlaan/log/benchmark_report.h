// The results of a benchmark, for people and for programs.
#pragma once

#include <mlaan/log/scatter_plot.h>
#include <mlaan/train/benchmark.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

std::string benchmark_table(const std::vector<BenchmarkResult>& results);

/// {"results": [{"method": …, "step_seconds": …, "peak_bytes": …, "time_ratio": …, …}, …]}
void write_benchmark(const std::filesystem::path& path,
                     const std::vector<BenchmarkResult>& results);

/// Time against peak bytes, as ratios to the reference method: a point for each result. Results of
/// one method that differ in the values of the same settings form a curve, in their order; one
/// without settings of its own belongs to every curve of its method.
ScatterPlot benchmark_plot(const std::vector<BenchmarkResult>& results);

}  // namespace mlaan
