// mlaan bench loader: measures how fast batches of a data set are read and augmented.
#include "cli/commands.h"
#include "cli/key_flag.h"

#include <mlaan/log/loader_benchmark_report.h>
#include <mlaan/train/loader_benchmark.h>

#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

struct BenchLoaderFlags {
  explicit BenchLoaderFlags(CLI::App& app)
      : config(app, {"dataset", "data", "batch_size", "workers", "seed"},
               /*flags_of_methods=*/false) {
    app.add_option("--epochs", options.epochs,
                   "measured passes over the images, after one of warm-up [3]")
        ->check(CLI::Range(1, 100000))
        ->type_name("N")
        ->group(group::measurement);
    app.add_option("--json", json, "file to write the results to")
        ->type_name("FILE")
        ->group(group::results);
  }

  ConfigFlags config;
  LoaderBenchmarkOptions options;
  std::string json;
};

int run(const BenchLoaderFlags& flags) {
  Config config;
  config.apply("dataset", "folder", "default of bench loader");
  flags.config.apply(config);
  const Settings settings = config;
  prepare(settings);
  const LoaderBenchmark result = benchmark_loader(settings, flags.options);
  std::printf("%s", loader_benchmark_text(result).c_str());
  if (!flags.json.empty()) write_loader_benchmark(flags.json, result);
  return 0;
}

}  // namespace

Verb bench_loader_verb(CLI::App& bench) {
  CLI::App* app = bench.add_subcommand(
      "loader", "measure how fast training batches of a data set are read and augmented");
  const auto flags = std::make_shared<BenchLoaderFlags>(*app);
  return {app, [flags] { return run(*flags); }};
}

}  // namespace mlaan::cli
