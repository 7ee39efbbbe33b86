// mlaan compare: trains methods × seeds under one budget, and compares the results.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/rank.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"
#include "train/held_folder.h"
#include "train/joint_training.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/log/progress.h>
#include <mlaan/log/summary.h>
#include <mlaan/log/tensorboard.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/signals.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct CompareFlags {
  explicit CompareFlags(CLI::App& app)
      : config(app, with_optimization(with_augmentation(
                        {"dataset", "data", "model", "modules", "partition", "epochs", "batch_size",
                         "lr", "device", "train_limit", "workers", "threads", "dist.processes",
                         "dist.stages", "engine.recompute", "engine.precision", "output",
                         "log.tensorboard", "validation.tta"}))) {
    app.add_option("--methods", methods,
                   "methods to train, separated by commas, each with optional settings: "
                   "NAME:key=value:key=value; the others are compared with the first")
        ->required()
        ->type_name("METHODS")
        ->group(group::method);
    app.add_option("--seeds", seeds,
                   "seeds to train each method with, separated by commas [the settings' seed]")
        ->type_name("SEEDS")
        ->group(group::training);
    app.add_option("--budget", budget,
                   "what is equal for all methods: epochs, or time, as many epochs as fit into the "
                   "first method's training time, by step times measured at the start [epochs]")
        ->check(CLI::IsMember({"epochs", "time"}))
        ->type_name("{epochs,time}")
        ->group(group::measurement);
    app.add_option("--plot", plot,
                   "SVG file to draw test errors against peak bytes in; beside it, with -time in "
                   "its name, one of errors against training time; steps are measured for it")
        ->type_name("FILE")
        ->group(group::results);
    app.add_option("--json", json, "file to write the results to, besides OUTPUT/comparison.json")
        ->type_name("FILE")
        ->group(group::results);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  std::string methods;
  std::string seeds;
  std::string budget = "epochs";
  std::string plot;
  std::string json;
  bool quiet = false;
};

fs::path comparison_folder(const Settings& settings) {
  const auto& run = settings.get<RunOptions>();
  if (!run.output.empty()) return run.output;
  return fs::path("runs") / (run.dataset + "-" + run.model + "-comparison");
}

std::optional<TrainSummary> read_finished(const fs::path& folder) {
  if (!fs::exists(folder / "summary.json")) return std::nullopt;
  TrainSummary summary = read_summary(folder / "summary.json");
  if (!summary.complete) return std::nullopt;
  return summary;
}

/// Each run leaves the same files as `mlaan train`.
ComparisonRecords records_of(bool tensorboard, bool quiet) {
  ComparisonRecords records;
  records.read = read_finished;
  records.write = [](const fs::path& folder, const Settings& settings,
                     const TrainSummary& summary) {
    write_summary(folder / "summary.json", settings, {summary});
  };
  records.observers = [tensorboard, quiet](const fs::path& folder) {
    std::vector<std::unique_ptr<TrainObserver>> observers;
    observers.push_back(std::make_unique<MetricsFiles>(folder));
    observers.push_back(std::make_unique<Progress>(stderr, quiet));
    if (tensorboard) observers.push_back(std::make_unique<TensorBoardFile>(folder));
    return observers;
  };
  records.progress = [quiet](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "%s\n", printable(line).c_str());
  };
  return records;
}

/// The cost of each spec's forward pass. Throws for plans that do not fit, before the first run
/// begins.
std::vector<ForwardWork> work_of(const std::vector<ComparedRun>& runs, const Settings& comparison,
                                 const DataSource& data) {
  std::vector<ForwardWork> work;
  for (const auto& spec : specs_of(runs)) {
    try {
      work.push_back(forward_work(settings_of({spec, 0, ""}, comparison), data));
    } catch (const UserError& error) {
      throw UserError(spec.text + ": " + error.what());
    }
  }
  return work;
}

/// Ends a comparison that a signal has stopped. \return the exit code.
int stopped(const ComparisonReport& report, ProcessGroup* group) {
  const int signal = received_signal(group);
  if (is_first(group)) {
    std::fprintf(stderr,
                 "mlaan: stopped by %s with %zu of %zu runs finished; go on with the same command: "
                 "what is finished is not trained again\n",
                 strsignal(signal), report.finished.size(), report.runs.size());
  }
  return StopSignals::exit_code(signal);
}

/// The costs of steps: those recorded in this folder, and measured now for the others, so that
/// adding a method does not change the epochs of others. Empty if it was stopped.
std::vector<StepCost> step_costs(const fs::path& folder, const Settings& settings,
                                 const DataSource& data, const std::vector<MethodSpec>& specs,
                                 bool quiet, ProcessGroup* group) {
  const fs::path file = folder / "step_costs.json";
  std::vector<StepCost> costs;
  if (fs::exists(file)) costs = read_step_costs(file);
  const auto unknown = without_costs(specs, costs);
  if (unknown.empty()) return costs;
  const auto progress = [quiet](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "steps: %s\n", line.c_str());
  };
  const auto measured =
      measure_step_costs(settings, data, unknown, progress, StopSignals::requested, group);
  if (measured.empty()) return {};
  add_costs(costs, measured);
  if (is_first(group)) write_step_costs(file, costs);
  return costs;
}

void write_plots(const fs::path& path, const ComparisonReport& report) {
  fs::path of_time = path;
  of_time.replace_filename(path.stem().string() + "-time" + path.extension().string());
  write_text(path, comparison_plot(report, ComparedCost::peak_bytes).to_svg());
  write_text(of_time, comparison_plot(report, ComparedCost::training_time).to_svg());
}

/// The runs that flags and settings ask for.
ComparisonReport planned_comparison(const CompareFlags& flags, const Settings& settings,
                                    const fs::path& folder) {
  const auto seeds = flags.seeds.empty()
                         ? std::vector<std::int64_t>{settings.get<RunOptions>().seed}
                         : parse_seeds(flags.seeds);
  ComparisonReport report;
  report.runs = compared_runs(split_method_specs(flags.methods), seeds, folder);
  return report;
}

void warn_of_unused_settings(const Settings& settings, const ComparisonReport& report) {
  std::vector<std::string> methods;
  for (const auto& spec : specs_of(report.runs)) methods.push_back(spec.method);
  warn_of_unused(settings, methods);
}

/// Trains all runs, and writes down what they come to after each.
/// \param work of each run's forward pass.
void run_all(ComparisonReport& report, const Settings& settings, const DataSource& data,
             const std::vector<ForwardWork>& work, const fs::path& folder, bool quiet,
             ProcessGroup* group) {
  const auto write = [&](const std::vector<FinishedRun>& finished) {
    report.finished = finished;
    if (!is_first(group)) return;
    report.methods = compare_methods(report.runs, finished, work);
    if (!report.step_costs.empty()) set_step_costs(report.methods, report.step_costs);
    write_comparison(folder / "comparison.json", report);
  };
  ComparisonRecords records = records_of(settings.get<LogOptions>().tensorboard, quiet);
  records.finished = write;
  records.should_save = StopSignals::take_save_request;
  write(run_comparison(settings, data, report.runs, records, StopSignals::requested, group));
}

void print_comparison(const ComparisonReport& report, const CompareFlags& flags,
                      const fs::path& folder) {
  if (!flags.plot.empty()) write_plots(flags.plot, report);
  std::printf("%s  all of it in %s\n", comparison_table(report).c_str(),
              printable(folder.string()).c_str());
}

int compare(const CompareFlags& flags, ProcessGroup* group) {
  Config config;
  flags.config.apply(config);
  config.make_paths_absolute();
  const bool quiet = flags.quiet || !is_first(group);
  // The number of threads is settled by run_comparison(), since runs begun earlier may have it.
  const Settings in_rank = settled_in_rank(config, group);
  const Settings settings = group == nullptr ? Settings(config) : with_layout(config, *group);
  const fs::path folder = comparison_folder(settings);
  ComparisonReport report = planned_comparison(flags, settings, folder);
  prepare(in_rank);
  if (is_first(group)) warn_of_unused_settings(settings, report);
  const StopSignals signals;
  const DataSource data = make_data(settings);
  const auto work = work_of(report.runs, settings, data);
  const std::string what = "the comparison's folder";
  const HeldFolder held(folder, group, what);
  by_first(group, [&] { make_writable(folder); }, what);

  if (flags.budget == "time" || !flags.plot.empty()) {
    report.step_costs = step_costs(folder, settings, data, specs_of(report.runs), quiet, group);
    if (report.step_costs.empty()) return stopped(report, group);
  }
  if (flags.budget == "time") {
    give_equal_time(report.runs, report.step_costs, settings.get<RunOptions>().epochs);
  }
  run_all(report, settings, data, work, folder, quiet, group);
  if (!flags.json.empty() && is_first(group)) write_comparison(flags.json, report);
  if (!report.complete()) return stopped(report, group);
  if (is_first(group)) print_comparison(report, flags, folder);
  return 0;
}

int run(const CompareFlags& flags) {
  return run_in_processes(flags.config.settings(),
                          [&](ProcessGroup* group) { return compare(flags, group); });
}

}  // namespace

Command compare_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "compare", "train several methods with several seeds, and compare errors and costs");
  const auto flags = std::make_shared<CompareFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true, {}, /*in_ranks=*/true};
}

}  // namespace mlaan::cli
