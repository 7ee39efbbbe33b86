// mlaan train: trains a network by a method, and tests it at the end.
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/key_flag.h"
#include "cli/resumed_run.h"
#include "cli/run_folder.h"
#include "cli/shell_text.h"
#include "cli/version.h"
#include "core/byte_text.h"
#include "train/kept_plans.h"
#include "train/own_plan.h"
#include "train/resumed_settings.h"

#include <mlaan/core/error.h>
#include <mlaan/core/process.h>
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
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct TrainFlags {
  explicit TrainFlags(CLI::App& app)
      : config(app, with_optimization(with_augmentation({"dataset",
                                                         "data",
                                                         "model",
                                                         "weights",
                                                         "method",
                                                         "modules",
                                                         "epochs",
                                                         "batch_size",
                                                         "lr",
                                                         "seed",
                                                         "device",
                                                         "train_limit",
                                                         "workers",
                                                         "threads",
                                                         "engine.recompute",
                                                         "engine.precision",
                                                         "partition",
                                                         "memory",
                                                         "output",
                                                         "baseline",
                                                         "log.tensorboard",
                                                         "limit.steps",
                                                         "limit.time",
                                                         "limit.train_batches",
                                                         "limit.validation_batches",
                                                         "limit.test_batches",
                                                         "limit.overfit_batches",
                                                         "early_stopping.patience",
                                                         "validation.tta",
                                                         "save.every"}))) {
    resume_option = app.add_option("--resume", resume,
                                   "go on from a checkpoint, or from the last one of a run's "
                                   "folder; without PATH of --output, or of the newest run of "
                                   "these settings")
                        ->expected(0, 1)
                        ->type_name("PATH")
                        ->group(group::saving);
    app.add_flag("--allow-other-split", allow_other_split,
                 "let --resume go on with another seed, validation.fraction or number of images, "
                 "and validate on images that were trained on")
        ->group(group::saving);
    app.add_flag("--dry-run", dry_run,
                 "try everything on as few batches as it takes - each phase, validation, a "
                 "checkpoint, the test - in a folder that is removed again")
        ->excludes(resume_option)
        ->group(group::training);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  CLI::Option* resume_option = nullptr;
  std::string resume;
  bool allow_other_split = false;
  bool dry_run = false;
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
  const std::string key = plan_key(config, version());
  const auto kept = find_kept_plan(key);
  const PlanReport report = kept ? *kept : plan_training(config, bytes, /*rivals=*/false, progress);
  if (!kept) keep_plan(key, report);
  const auto& method = config.get<RunOptions>().method;
  if (!report.chosen) {
    throw Error("no setting of " + method + " that was tried fits into " + format_bytes(bytes) +
                "; see `mlaan plan`");
  }
  const auto& chosen = report.settings[*report.chosen];
  apply(chosen, config, "--memory");
  if (quiet) return;
  std::fprintf(stderr,
               "%s: %lld modules (%s), recompute %s, %lld micro-batches: %s of %s, predicted%s\n",
               method.c_str(), static_cast<long long>(chosen.modules), chosen.partition.c_str(),
               chosen.recompute.c_str(), static_cast<long long>(chosen.micro_batches),
               format_bytes(chosen.peak_bytes).c_str(), format_bytes(bytes).c_str(),
               kept ? " earlier; `mlaan plan` looks anew" : "");
}

/// The last checkpoint of a folder, if there is one.
std::optional<Checkpoint> find_checkpoint(const fs::path& folder) {
  if (!fs::exists(last_checkpoint(folder))) return std::nullopt;
  return read_checkpoint(last_checkpoint(folder));
}

/// Writes down how many threads a run chooses by itself, so that it goes on with as many: bits
/// depend on it. \param before of the run that goes on; 0: none, or not written down.
void settle_threads(Config& config, std::int64_t before) {
  const int processors = available_processors();
  if (config.get<RunOptions>().threads == 0) {
    config.apply("threads", std::to_string(processors), "one for each processor");
  }
  const auto threads = config.get<RunOptions>().threads;
  if (before == 0) return;
  if (threads != before) {
    std::fprintf(stderr,
                 "mlaan: note: goes on with %lld threads, where the run had %lld: bits will be "
                 "others than if it had not been stopped\n",
                 static_cast<long long>(threads), static_cast<long long>(before));
  } else if (threads > processors) {
    std::fprintf(
        stderr,
        "mlaan: note: goes on with %lld threads as before, though there are %d processors; "
        "--threads 0 is faster, and gives other bits\n",
        static_cast<long long>(threads), processors);
  }
}

/// The number of threads that the checkpoint's run had.
std::int64_t threads_of(const Checkpoint& checkpoint) {
  Config recorded;
  recorded.apply_text(checkpoint.info.config, checkpoint.path.string());
  return recorded.get<RunOptions>().threads;
}

int run(const TrainFlags& flags) {
  Config config;
  std::optional<ResumedRun> resumed;
  if (flags.resume_option->count() > 0) {
    resumed.emplace(resume_run(flags.resume, flags.config, config));
  } else {
    flags.config.apply(config);
  }
  make_paths_absolute(config);
  settle_threads(config, resumed ? threads_of(resumed->checkpoint) : 0);
  prepare(config);
  const auto& settings = config.get<RunOptions>();
  if (!resumed && !settings.memory.empty()) fit_into_memory(config, flags.quiet);
  const StopSignals signals;
  std::vector<std::string> methods{resumed ? method_of_run(config, resumed->checkpoint)
                                           : settings.method};
  if (!settings.baseline.empty()) methods.push_back(settings.baseline);
  for (const auto& method : methods) method_named(method);
  warn_of_unused(config, methods);
  DataSource data = make_data(config);
  if (flags.dry_run) return try_run(config, data, methods);
  std::optional<Checkpoint> checkpoint;
  if (resumed) {
    data = with_classes_of(resumed->checkpoint, std::move(data));
    if (!flags.allow_other_split) check_same_split(resumed->checkpoint, config, data);
    bring_along(*resumed);
    checkpoint = std::move(resumed->checkpoint);
  }
  const LockedFolder locked = resumed ? std::move(resumed->folder) : make_run_folder(config);
  const fs::path& folder = locked.path;
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
  std::printf("%s\n%s", summary_table(summaries).c_str(),
              ("  of the " + summaries[0].reported + " epoch; all of it in " +
               printable(folder.string()) + "\n")
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
