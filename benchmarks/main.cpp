// Google Benchmark with the process set up as the program's is.
#include <mlaan/core/process.h>
#include <mlaan/measure/memory.h>

#include <benchmark/benchmark.h>

int main(int argc, char** argv) {
  mlaan::measure::install_counting_allocator();
  mlaan::prepare_process();
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
