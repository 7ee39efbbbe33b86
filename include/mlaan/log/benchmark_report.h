// The results of a benchmark, for people and for programs.
#pragma once

#include <mlaan/train/benchmark.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

std::string benchmark_table(const std::vector<BenchmarkResult>& results);

/// {"results": [{"method": …, "step_seconds": …, "peak_bytes": …, "time_ratio": …, …}, …]}
void write_benchmark(const std::filesystem::path& path,
                     const std::vector<BenchmarkResult>& results);

}  // namespace mlaan
