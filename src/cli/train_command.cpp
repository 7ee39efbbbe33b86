// mlaan train: trains a network by a method, and tests it at the end.
#include "cli/commands.h"
#include "cli/run_folder.h"
#include "cli/shell_text.h"
#include "train/new_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/local/method.h>
#include <mlaan/log/metrics_files.h>
#include <mlaan/log/progress.h>
#include <mlaan/log/summary.h>
#include <mlaan/log/tensorboard.h>
#include <mlaan/train/options.h>
#include <mlaan/train/planner.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/signals.h>
#include <mlaan/train/trainer.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  explicit TrainFlags(CLI::App& app)
      : config(app,
               with_augmentation(
                   {"dataset",          "data",        "model",      "weights", "method",
                    "modules",          "epochs",      "batch_size", "lr",      "seed",
                    "device",           "train_limit", "workers",    "threads", "engine.recompute",
                    "engine.precision", "partition",   "memory",     "output",  "baseline",
                    "log.tensorboard"})) {
    resume_option = app.add_option("--resume", resume,
                                   "go on from a checkpoint, or from the last one of a run's "
                                   "folder; without PATH of --output or of the newest run alike")
                        ->expected(0, 1)
                        ->type_name("[PATH]");
    app.add_flag("-q,--quiet", quiet, "no progress on stderr");
  }

  ConfigFlags config;
  CLI::Option* resume_option = nullptr;
  std::string resume;
  bool quiet = false;
};

TrainSummary train(Config& config, const DataSource& data, const fs::path& folder,
                   const std::optional<Checkpoint>& checkpoint, bool quiet) {
  Trainer trainer(config, data, folder);
  if (!quiet) print_measured_format(config);
  if (checkpoint) trainer.resume(*checkpoint);
  MetricsFiles files(folder);
  Progress progress(stderr, quiet);
  trainer.add_observer(files);
  trainer.add_observer(progress);
  TensorBoardFile tensorboard(folder);
  if (config.get<LogOptions>().tensorboard) trainer.add_observer(tensorboard);
  return trainer.run(StopSignals::requested, StopSignals::take_save_request);
}

/// Chooses settings by which the run fits into the bytes that it may take.
void fit_into_memory(Config& config, bool quiet) {
  const std::int64_t bytes = memory_limit(config);
  const auto progress = [quiet](const std::string& what) {
    if (!quiet) std::fprintf(stderr, "trying %s\n", what.c_str());
  };
  const PlanReport report = plan_training(config, bytes, /*rivals=*/false, progress);
  const auto& method = config.get<RunOptions>().method;
  if (!report.chosen) {
    throw Error("no setting of " + method + " that was tried fits into " + format_bytes(bytes) +
                "; see `mlaan plan`");
  }
  const auto& chosen = report.settings[*report.chosen];
  apply(chosen, config, "--memory");
  if (quiet) return;
  std::fprintf(stderr,
               "%s: %lld modules (%s), recompute %s, %lld micro-batches: %s of %s, predicted\n",
               method.c_str(), static_cast<long long>(chosen.modules), chosen.partition.c_str(),
               chosen.recompute.c_str(), static_cast<long long>(chosen.micro_batches),
               format_bytes(chosen.peak_bytes).c_str(), format_bytes(bytes).c_str());
}

/// The last checkpoint of a folder, if there is one.
std::optional<Checkpoint> find_checkpoint(const fs::path& folder) {
  if (!fs::exists(last_checkpoint(folder))) return std::nullopt;
  return read_checkpoint(last_checkpoint(folder));
}

/// The checkpoint that --resume means. Its settings come before those given now.
Checkpoint take_checkpoint(const TrainFlags& flags, Config& config) {
  fs::path path = flags.resume;
  if (path.empty()) {
    Config given;
    flags.config.apply(given);
    path = find_run_folder(given);
  }
  if (fs::is_directory(path)) {
    if (!fs::exists(last_checkpoint(path))) {
      throw UserError("nothing to resume: there is no " + last_checkpoint(path).string());
    }
    path = last_checkpoint(path);
  }
  Checkpoint checkpoint = read_checkpoint(path);
  config.apply_text(checkpoint.info.config, path.string());
  config.apply("output", run_folder_of(path).string(), path.string());
  return checkpoint;
}

int run(const TrainFlags& flags) {
  Config config;
  std::optional<Checkpoint> checkpoint;
  if (flags.resume_option->count() > 0) checkpoint = take_checkpoint(flags, config);
  flags.config.apply(config);
  make_paths_absolute(config);
  prepare(config);
  const auto& settings = config.get<RunOptions>();
  if (!checkpoint && !settings.memory.empty()) fit_into_memory(config, flags.quiet);
  const StopSignals signals;
  std::vector<std::string> methods{settings.method};
  if (!settings.baseline.empty()) methods.push_back(settings.baseline);
  for (const auto& method : methods) method_named(method);
  warn_of_unused(config, methods);
  const DataSource data = make_data(config);
  if (checkpoint && settings.output.empty()) {
    throw UserError(checkpoint->path.string() +
                    " is in no run's folder; say with --output where the run is to go on");
  }
  const fs::path folder = checkpoint ? fs::path(settings.output) : choose_run_folder(config);
  const NewFolder new_folder(folder);
  if (!checkpoint) make_run_folder(folder, config);
  std::vector<TrainSummary> summaries{train(config, data, folder, checkpoint, flags.quiet)};
  if (summaries[0].complete && !settings.baseline.empty()) {
    const fs::path baseline_folder = folder / ("baseline-" + settings.baseline);
    const auto begun = checkpoint ? find_checkpoint(baseline_folder) : std::nullopt;
    checkpoint.reset();
    Config baseline = config.copy((folder / "config.toml").string());
    baseline.apply("method", settings.baseline, "--baseline");
    baseline.apply("baseline", "", "--baseline");
    summaries.push_back(train(baseline, data, baseline_folder, begun, flags.quiet));
  }
  write_summary(folder / "summary.json", config, summaries);
  if (!summaries.back().complete) {
    std::fprintf(stderr, "mlaan: stopped by %s; go on with: mlaan train --resume %s\n",
                 strsignal(StopSignals::received()), shell_word(folder.string()).c_str());
    return StopSignals::exit_code();
  }
  std::printf(
      "%s\n%s", summary_table(summaries).c_str(),
      ("  of the " + summaries[0].reported + " epoch; all of it in " + folder.string() + "\n")
          .c_str());
  return 0;
}

}  // namespace

Command train_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("train", "train a network and test it at the end");
  const auto flags = std::make_shared<TrainFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
