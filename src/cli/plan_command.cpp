// mlaan plan: finds settings that fit into a number of bytes, or predicts steps on many ranks.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/shell_text.h"
#include "cli/version.h"
#include "train/kept_plans.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/quantity.h>
#include <mlaan/log/layout_report.h>
#include <mlaan/log/plan_report.h>
#include <mlaan/train/layout_prediction.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/planner.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <cstdio>
#include <memory>
#include <set>

namespace mlaan::cli {
namespace {

struct PlanFlags {
  explicit PlanFlags(CLI::App& app)
      : config(app, {"model", "method", "modules", "batch_size", "memory", "dataset", "data",
                     "device", "engine.precision", "seed", "threads", "dist.stages"}) {
    app.add_flag(
           "--check", check,
           "run a step of every setting, and print its measured costs beside the predicted ones")
        ->group(group::measurement);
    app.add_option("--replicas", replicas,
                   "simulate a step on --stages times this many ranks, which need not exist; "
                   "batch_size is then per replica [1]")
        ->type_name("N")
        ->check(CLI::Range(1, 65536))
        ->group(group::measurement);
    app.add_option("--bandwidth", bandwidth, "network bandwidth between simulated ranks [10Gbit]")
        ->type_name("BANDWIDTH")
        ->group(group::measurement);
    app.add_option("--latency", latency, "network latency between simulated ranks [50us]")
        ->type_name("TIME")
        ->group(group::measurement);
    app.add_option("--json", json, "file to write the settings to")
        ->type_name("FILE")
        ->group(group::results);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  bool check = false;
  bool quiet = false;
  std::int64_t replicas = 0;
  std::string bandwidth = "10Gbit";
  std::string latency = "50us";
  std::string json;
};

/// The given settings that the planner does not choose, as words of a command line.
std::string other_settings(const Settings& settings) {
  const std::set<std::string> named{
      "model",   "method",    "batch_size",       "memory",
      "modules", "partition", "engine.recompute", "engine.micro_batches"};
  std::string words;
  for (const auto& field : settings.options().fields()) {
    if (settings.origin(field.key) == "default" || named.count(field.key) > 0) continue;
    const OptionValue value = field.value();
    const auto* text = std::get_if<std::string>(&value);
    words += " --set " + shell_word(field.key + "=" + (text != nullptr ? *text : to_toml(value)));
  }
  return words;
}

/// The number of modules and the kind of partition, if given, as words of a command line: within
/// them, training with --memory searches by itself.
std::string given_cut(const Settings& settings) {
  const auto& run = settings.get<RunOptions>();
  std::string words;
  if (run.modules > 0) words += " --modules " + std::to_string(run.modules);
  if (run.partition != "default") words += " --partition " + shell_word(run.partition);
  return words;
}

/// Predicts the cost of a step on several ranks.
int predict_ranks(const Settings& asked, const PlanFlags& flags) {
  LayoutRequest request;
  request.stages = asked.get<DistOptions>().stages;
  request.replicas = std::max<std::int64_t>(1, flags.replicas);
  request.network = {parse_bandwidth(flags.bandwidth), parse_latency(flags.latency)};
  prepare(asked);
  const auto layouts = predict_layouts(asked, request, [&](const std::string& what) {
    if (!flags.quiet) std::fprintf(stderr, "%s\n", what.c_str());
  });
  const auto& run = asked.get<RunOptions>();
  std::printf(
      "  %s on %s, batch %lld a replica, %s and %s between ranks\n\n%s\n  simulated from a step's "
      "operations, measured on this machine\n",
      run.model.c_str(), run.dataset.c_str(), static_cast<long long>(run.batch_size),
      flags.bandwidth.c_str(), flags.latency.c_str(), layout_table(layouts).c_str());
  if (!flags.json.empty()) write_layouts(flags.json, layouts);
  return 0;
}

int run(const PlanFlags& flags) {
  Config config;
  flags.config.apply(config);
  const std::string others = other_settings(config);
  config.make_paths_absolute();
  const Settings asked = config;
  if (flags.replicas > 0 || asked.get<DistOptions>().stages > 1) return predict_ranks(asked, flags);
  prepare(asked);
  const auto progress = [&](const std::string& what) {
    if (!flags.quiet) std::fprintf(stderr, "%s\n", what.c_str());
  };
  const std::int64_t bytes = memory_limit(asked);
  const DataSource data = make_data(asked);
  const Settings settings = with_faster_memory_format(asked, data);
  PlanReport report = plan_training(settings, data, bytes, /*rivals=*/true, progress);
  if (bytes > 0) keep_plan(plan_key(asked, version()), report);
  if (!flags.quiet) print_measured_format(settings);
  if (flags.check) measure_settings(settings, report, progress);
  const auto& run = settings.get<RunOptions>();
  std::printf("  %s on %s, batch %lld%s\n\n%s", run.model.c_str(), run.dataset.c_str(),
              static_cast<long long>(run.batch_size),
              bytes > 0 ? (", at most " + format_bytes(bytes)).c_str() : "",
              plan_table(report).c_str());
  std::printf(
      "  peak: bytes of a step, predicted from steps of 2 and 4 images, without the batch itself\n"
      "  step s: of the whole batch, predicted from a part of it\n");
  if (!flags.json.empty()) write_plan(flags.json, report);
  if (!report.chosen) {
    throw Error("no setting tried of " + run.method + " fits into " + format_bytes(bytes) +
                "; give more --memory, or a smaller --model");
  }
  const auto& chosen = report.settings[*report.chosen];
  std::printf("\n  mlaan train --model %s --method %s -b %lld", shell_word(run.model).c_str(),
              shell_word(chosen.method).c_str(), static_cast<long long>(run.batch_size));
  if (bytes > 0) {
    std::printf("%s --memory %s", given_cut(asked).c_str(), shell_word(run.memory).c_str());
  } else {
    std::printf(" --modules %lld --partition %s --recompute %s",
                static_cast<long long>(chosen.modules), shell_word(chosen.partition).c_str(),
                chosen.recompute.c_str());
  }
  std::printf("%s\n", others.c_str());
  return 0;
}

}  // namespace

Command plan_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "plan", "find settings that train a network within a memory limit, and their costs");
  const auto flags = std::make_shared<PlanFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
