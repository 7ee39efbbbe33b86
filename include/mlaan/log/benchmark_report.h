// Reports of a benchmark, as a table, as JSON and as a plot.
#pragma once

#include <mlaan/log/scatter_plot.h>
#include <mlaan/train/benchmark.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A table with one line per method, and one per phase of a method that has phases.
std::string benchmark_table(const std::vector<BenchmarkResult>& results);

/// A table with one line per method and process: its peak, what it sends and waits for in a step,
/// and, where they were compared with it, ratios to one process.
/// \param results of several processes.
std::string layout_table(const std::vector<BenchmarkResult>& results);

/// Writes {"results": [{"method": …, "step_seconds": …, "peak_bytes": …, "time_ratio": …, …}, …]}.
void write_benchmark(const std::filesystem::path& path,
                     const std::vector<BenchmarkResult>& results);

/// Time against peak bytes, as ratios to the reference method, with one point per result. Results
/// of one method that give different values to the same settings form a curve, in their order; a
/// result without settings of its own belongs to every curve of its method.
ScatterPlot benchmark_plot(const std::vector<BenchmarkResult>& results);

}  // namespace mlaan
