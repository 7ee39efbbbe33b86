// mlaan compare: trains methods × seeds under one budget, and what came of them side by side.
#include "cli/commands.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/log/progress.h>
#include <mlaan/log/summary.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/signals.h>

#include <cstdio>
#include <cstring>
#include <memory>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct CompareFlags {
  explicit CompareFlags(CLI::App& app)
      : config(app,
               with_augmentation({"dataset", "data", "model", "modules", "partition", "epochs",
                                  "batch_size", "lr", "device", "train_limit", "workers", "threads",
                                  "engine.recompute", "engine.precision", "output"})) {
    app.add_option("--methods", methods,
                   "methods to train, separated by commas, each with settings of its own if need "
                   "be: NAME:key=value:key=value; the first is what the others are "
                   "compared with")
        ->required();
    app.add_option("--seeds", seeds,
                   "seeds to train each method with, separated by commas [that of the settings]");
    app.add_option("--json", json, "file to write the results to, besides OUTPUT/comparison.json")
        ->type_name("FILE");
    app.add_flag("-q,--quiet", quiet, "no progress on stderr");
  }

  ConfigFlags config;
  std::string methods;
  std::string seeds;
  std::string json;
  bool quiet = false;
};

fs::path comparison_folder(Config& config) {
  const auto& run = config.get<RunOptions>();
  if (!run.output.empty()) return run.output;
  return fs::path("runs") / (run.dataset + "-" + run.model + "-comparison");
}

std::optional<TrainSummary> read_finished(const fs::path& folder) {
  if (!fs::exists(folder / "summary.json")) return std::nullopt;
  TrainSummary summary = read_summary(folder / "summary.json");
  if (!summary.complete) return std::nullopt;
  return summary;
}

/// Runs leave the files that `mlaan train` leaves.
ComparisonRecords records_of(bool quiet) {
  ComparisonRecords records;
  records.read = read_finished;
  records.write = [](const fs::path& folder, Config& config, const TrainSummary& summary) {
    write_summary(folder / "summary.json", config, {summary});
  };
  records.observers = [quiet](const fs::path& folder) {
    std::vector<std::unique_ptr<TrainObserver>> observers;
    observers.push_back(std::make_unique<MetricsFiles>(folder));
    observers.push_back(std::make_unique<Progress>(stderr, quiet));
    return observers;
  };
  records.progress = [quiet](const std::string& line) {
    if (!quiet) std::fprintf(stderr, "%s\n", printable(line).c_str());
  };
  return records;
}

/// What each spec's forward pass costs; refuses plans that do not fit before the first run.
std::vector<ForwardWork> work_of(const std::vector<ComparedRun>& runs, const Config& config,
                                 const DataSource& data) {
  std::vector<ForwardWork> work;
  for (const auto& spec : specs_of(runs)) {
    Config settings = settings_of({spec, 0, ""}, config);
    try {
      work.push_back(forward_work(settings, data));
    } catch (const UserError& error) {
      throw UserError(spec.text + ": " + error.what());
    }
  }
  return work;
}

int run(const CompareFlags& flags) {
  Config config;
  flags.config.apply(config);
  const fs::path folder = comparison_folder(config);
  const auto seeds = flags.seeds.empty() ? std::vector<std::int64_t>{config.get<RunOptions>().seed}
                                         : parse_seeds(flags.seeds);
  ComparisonReport report;
  report.runs = compared_runs(split_method_specs(flags.methods), seeds, folder);
  prepare(config);
  std::vector<std::string> methods;
  for (const auto& spec : specs_of(report.runs)) methods.push_back(spec.method);
  warn_of_unused(config, methods);
  const DataSource data = make_data(config);
  const auto work = work_of(report.runs, config, data);
  const FolderLock lock(folder);
  make_writable(folder);

  const StopSignals signals;
  const auto write = [&](const std::vector<FinishedRun>& finished) {
    report.finished = finished;
    report.methods = compare_methods(report.runs, finished, work);
    write_comparison(folder / "comparison.json", report);
  };
  ComparisonRecords records = records_of(flags.quiet);
  records.finished = write;
  write(run_comparison(config, data, report.runs, records, StopSignals::requested));
  if (!flags.json.empty()) write_comparison(flags.json, report);
  if (!report.complete()) {
    std::fprintf(stderr,
                 "mlaan: stopped by %s with %zu of %zu runs finished; go on with the same command: "
                 "what is finished is not trained again\n",
                 strsignal(StopSignals::received()), report.finished.size(), report.runs.size());
    return 0;
  }
  std::printf("%s  all of it in %s\n", comparison_table(report).c_str(),
              printable(folder.string()).c_str());
  return 0;
}

}  // namespace

Command compare_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "compare", "train several methods with several seeds, and compare errors and costs");
  const auto flags = std::make_shared<CompareFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
