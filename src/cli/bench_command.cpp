// mlaan bench: measures steps of several methods in turn, and the speed of a loader.
#include "cli/commands.h"
#include "cli/key_flag.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/local/method.h>
#include <mlaan/log/benchmark_report.h>
#include <mlaan/log/profile_report.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/options.h>
#include <mlaan/train/signals.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace mlaan::cli {
namespace {

struct BenchFlags {
  explicit BenchFlags(CLI::App& app)
      : config(app, {"model", "modules", "partition", "batch_size", "dataset", "data", "seed",
                     "device", "workers", "threads", "engine.recompute", "engine.precision"}) {
    app.add_option("--methods", methods,
                   "methods to measure, separated by commas, each with optional settings: "
                   "NAME:key=value:key=value [all]")
        ->type_name("METHODS")
        ->group(group::method);
    app.add_option("--repeats", options.repeats, "measured steps of each method [7]")
        ->check(CLI::Range(1, 100000))
        ->type_name("N")
        ->group(group::measurement);
    app.add_option("--warmup", options.warmup, "warm-up steps of each method [2]")
        ->check(CLI::Range(0, 100000))
        ->type_name("N")
        ->group(group::measurement);
    app.add_option("--json", json, "file to write the results to")
        ->type_name("FILE")
        ->group(group::results);
    CLI::Option* plot_flag =
        app.add_option("--plot", plot,
                       "SVG file to draw time against peak bytes in; settings of one method are "
                       "joined by a line")
            ->type_name("FILE")
            ->group(group::results);
    app.add_option("--profile", profile,
                   "measure each operation of a step instead, print where time and bytes go, and "
                   "write a trace for chrome://tracing or Perfetto to FILE")
        ->type_name("FILE")
        ->excludes(plot_flag)
        ->group(group::results);
    app.add_flag("--report-rss", report_rss, "print the process's peak resident bytes too")
        ->group(group::results);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  BenchmarkOptions options;
  std::string methods;
  std::string json;
  std::string plot;
  std::string profile;
  bool report_rss = false;
  bool quiet = false;
};

int run(BenchFlags& flags) {
  const Settings settings = flags.config.settings();
  prepare(settings);
  flags.options.methods = split_method_specs(flags.methods);
  if (flags.options.methods.empty()) flags.options.methods = method_registry().names();
  const auto progress = [&](const std::string& what) {
    if (!flags.quiet) std::fprintf(stderr, "%s\n", what.c_str());
  };
  if (!flags.profile.empty()) {
    const auto profiles = run_profiles(settings, flags.options, progress);
    for (const auto& profile : profiles) std::printf("%s\n", profile_table(profile).c_str());
    write_trace(flags.profile, profiles);
    return 0;
  }
  const StopSignals signals;
  const auto results = run_benchmark(settings, flags.options, progress, StopSignals::requested);
  if (results.empty()) {
    std::fprintf(stderr, "mlaan: stopped by %s before the first round was done\n",
                 strsignal(StopSignals::received()));
    return StopSignals::exit_code();
  }
  const std::int64_t rounds = results.front().steps;
  const bool stopped = rounds < flags.options.repeats;
  if (stopped) {
    std::fprintf(stderr, "mlaan: stopped by %s; these are the rounds that were done\n",
                 strsignal(StopSignals::received()));
  }
  std::printf("%s", benchmark_table(results).c_str());
  std::printf(
      "  step: median of %lld, methods interleaved; × : ratio to %s, of times the median of the "
      "rounds' ratios; work: multiply-adds of convolutions and matrix products, as defined\n",
      static_cast<long long>(rounds), reference_method().c_str());
  if (flags.report_rss) {
    std::printf("  peak resident bytes of the process: %lld\n",
                static_cast<long long>(measure::process_peak_bytes()));
  }
  if (!flags.json.empty()) write_benchmark(flags.json, results);
  if (!flags.plot.empty()) write_text(flags.plot, benchmark_plot(results).to_svg());
  return stopped ? StopSignals::exit_code() : 0;
}

}  // namespace

Command bench_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("bench", "measure time and bytes of a step, methods side by side");
  app->require_subcommand(0, 1);
  const auto flags = std::make_shared<BenchFlags>(*app);
  const Verb loader = bench_loader_verb(*app);
  loader.app->allow_extras();
  const auto run_either = [flags, loader] {
    if (!loader.app->parsed()) return run(*flags);
    check_remaining(*loader.app, {}, "argument");
    return loader.run();
  };
  return {app, run_either, /*computes=*/true, {loader.app->get_name()}};
}

}  // namespace mlaan::cli
