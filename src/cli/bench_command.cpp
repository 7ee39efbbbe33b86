// mlaan bench: measures steps of several methods in turn, and the speed of a loader.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/rank.h"
#include "train/joint_training.h"

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
                     "device", "workers", "threads", "dist.processes", "dist.stages",
                     "engine.recompute", "engine.precision"}) {
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

void print_results(const std::vector<BenchmarkResult>& results, const BenchFlags& flags) {
  std::printf("%s", benchmark_table(results).c_str());
  std::printf(
      "  step: median of %lld, methods interleaved; × : ratio to %s, of times the median of the "
      "rounds' ratios; work: multiply-adds of convolutions and matrix products, as defined\n",
      static_cast<long long>(results.front().steps), reference_method().c_str());
  if (!results.front().ranks.empty()) {
    std::printf(
        "\n%s  one process: of as many threads as one rank, with the whole batch of %lld images, "
        "in turn with the ranks\n",
        layout_table(results).c_str(), static_cast<long long>(results.front().batch));
  }
  if (flags.report_rss) {
    std::printf("  peak resident bytes of the process: %lld\n",
                static_cast<long long>(measure::process_peak_bytes()));
  }
  if (!flags.json.empty()) write_benchmark(flags.json, results);
  if (!flags.plot.empty()) write_text(flags.plot, benchmark_plot(results).to_svg());
}

int print_profiles(const BenchFlags& flags, const Settings& settings,
                   const std::function<void(const std::string&)>& progress) {
  const auto profiles = run_profiles(settings, flags.options, progress);
  for (const auto& profile : profiles) std::printf("%s\n", profile_table(profile).c_str());
  write_trace(flags.profile, profiles);
  return 0;
}

int measure_all(BenchFlags& flags, ProcessGroup* group) {
  const Settings settings = settled_in_rank(flags.config.settings(), group);
  prepare(settings);
  flags.options.methods = split_method_specs(flags.methods);
  if (flags.options.methods.empty()) flags.options.methods = method_registry().names();
  flags.options.beside_one_process = group != nullptr;
  const bool tells = is_first(group);
  const auto progress = [&](const std::string& what) {
    if (!flags.quiet && tells) std::fprintf(stderr, "%s\n", what.c_str());
  };
  if (!flags.profile.empty()) return print_profiles(flags, settings, progress);
  const StopSignals signals;
  const auto results =
      run_benchmark(settings, flags.options, progress, StopSignals::requested, group);
  const int signal = received_signal(group);
  const bool stopped = results.empty() || results.front().steps < flags.options.repeats;
  if (stopped && tells) {
    std::fprintf(stderr, "mlaan: stopped by %s%s\n", strsignal(signal),
                 results.empty() ? " before the first round was done"
                                 : "; these are the rounds that were done");
  }
  if (tells && !results.empty()) print_results(results, flags);
  return stopped ? StopSignals::exit_code(signal) : 0;
}

/// \throws UserError for what is measured in one process only.
void refuse_profile_of_ranks(const BenchFlags& flags, int processes) {
  if (flags.profile.empty() || processes == 1) return;
  throw UserError(
      "--profile measures the operations of a step in one process; without it, mlaan "
      "bench measures " +
      std::to_string(processes) + " processes");
}

int run(BenchFlags& flags) {
  const Settings given = flags.config.settings();
  const auto place = read_rank_environment();
  refuse_profile_of_ranks(flags, place ? place->size : processes_asked_for(given));
  return run_in_processes(given, [&](ProcessGroup* group) { return measure_all(flags, group); });
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
    refuse_ranks("bench loader");
    return loader.run();
  };
  return {app, run_either, /*computes=*/true, {loader.app->get_name()}, /*in_ranks=*/true};
}

}  // namespace mlaan::cli
