// What `mlaan bench loader` prints and writes.
#pragma once

#include <mlaan/train/loader_benchmark.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// One line for a terminal.
std::string loader_benchmark_text(const LoaderBenchmark& result);

void write_loader_benchmark(const std::filesystem::path& path, const LoaderBenchmark& result);

}  // namespace mlaan
