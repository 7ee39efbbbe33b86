// The output of `mlaan bench loader`.
#pragma once

#include <mlaan/train/loader_benchmark.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// One line for a terminal.
std::string loader_benchmark_text(const LoaderBenchmark& result);

/// Writes the fields of the result as JSON.
void write_loader_benchmark(const std::filesystem::path& path, const LoaderBenchmark& result);

}  // namespace mlaan
