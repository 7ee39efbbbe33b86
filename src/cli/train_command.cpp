// mlaan train: trains a network by a method, and tests it at the end.
#include "cli/commands.h"
#include "cli/dry_run.h"
#include "cli/key_flag.h"
#include "cli/rank.h"
#include "cli/resumed_run.h"
#include "cli/run_folder.h"
#include "cli/shell_text.h"
#include "cli/version.h"
#include "core/byte_text.h"
#include "dist/launcher.h"
#include "train/joint_training.h"
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
                                                         "dist.processes",
                                                         "dist.stages",
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
                   const std::optional<Checkpoint>& checkpoint, bool quiet, ProcessGroup* group) {
  Trainer trainer(config, data, folder, group);
  if (!quiet) print_measured_format(config);
  if (checkpoint) trainer.resume(*checkpoint);
  Progress progress(stderr, quiet);
  trainer.add_observer(progress);
  if (!is_first(group)) return trainer.run(StopSignals::requested, StopSignals::take_save_request);
  MetricsFiles files(folder);
  trainer.add_observer(files);
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
/// \param processors that it may have.
void settle_threads(Config& config, std::int64_t before, int processors, bool tells) {
  if (config.get<RunOptions>().threads == 0) {
    config.apply("threads", std::to_string(processors), "one for each processor");
  }
  const auto threads = config.get<RunOptions>().threads;
  if (before == 0 || !tells) return;
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

/// The number of threads that the run goes on with, unless one is asked for: that of before; but of
/// a run that had its processors in another number of processes, a new one, and 0 is given back.
std::int64_t take_threads_of(const Checkpoint& checkpoint, Config& config) {
  Config recorded;
  recorded.apply_text(checkpoint.info.config, checkpoint.path.string());
  if (recorded.get<DistOptions>().processes == config.get<DistOptions>().processes) {
    return recorded.get<RunOptions>().threads;
  }
  if (config.origin("threads") == checkpoint.path.string()) {
    config.apply("threads", "0", "another number of processes");
  }
  return 0;
}

/// Lets stages begin anew where it is best, of a run that had other ones.
void forget_split_of(const Checkpoint& checkpoint, Config& config) {
  Config recorded;
  recorded.apply_text(checkpoint.info.config, checkpoint.path.string());
  const bool is_other = recorded.get<DistOptions>().stages != config.get<DistOptions>().stages;
  if (is_other && config.origin("dist.split") == checkpoint.path.string()) {
    config.apply("dist.split", DistOptions().split, "another number of stages");
  }
}

/// What the run goes on from: what is asked for; or, where the launcher has started all ranks anew,
/// the last checkpoint that those before have left. \return nothing for a run that begins.
std::optional<std::string> checkpoint_to_go_on_from(const TrainFlags& flags,
                                                    const ProcessGroup* group) {
  if (flags.resume_option->count() > 0) return flags.resume;
  if (group == nullptr || group->place().restarts == 0 || flags.dry_run) return std::nullopt;
  Config given;
  flags.config.apply(given);
  try {
    return find_run_folder(given).string();
  } catch (const UserError&) {
    return std::nullopt;
  }
}

/// What a run is to be, before anything of it is made.
struct AskedRun {
  Config config;
  std::optional<ResumedRun> resumed;
};

AskedRun asked_run(const TrainFlags& flags, ProcessGroup* group) {
  AskedRun asked;
  if (const auto path = checkpoint_to_go_on_from(flags, group)) {
    asked.resumed.emplace(resume_run(*path, flags.config, asked.config, is_first(group)));
    forget_split_of(asked.resumed->checkpoint, asked.config);
  } else {
    flags.config.apply(asked.config);
  }
  make_paths_absolute(asked.config);
  return asked;
}

/// Settles what is chosen by the machine, for all ranks alike where there are several.
void settle(AskedRun& asked, ProcessGroup* group, bool quiet) {
  Config& config = asked.config;
  if (group != nullptr) {
    settle_layout(config, *group);
    check_started_alike(config, *group);
  }
  const int processors = group == nullptr ? available_processors() : processors_of_rank(*group);
  const std::int64_t threads_before =
      asked.resumed ? take_threads_of(asked.resumed->checkpoint, config) : 0;
  settle_threads(config, threads_before, processors, is_first(group));
  prepare(config);
  if (asked.resumed || config.get<RunOptions>().memory.empty()) return;
  settle_by_first(
      config, group, {"modules", "partition", "engine.recompute", "engine.micro_batches"},
      [&] { fit_into_memory(config, quiet); }, "finding what fits");
}

/// Of a run whose user has said how many stages it has, and nothing of processes, as many.
int processes_asked_for(Config& config) {
  const auto& dist = config.get<DistOptions>();
  const bool is_open = dist.processes == 1 && config.origin("dist.processes") == "default";
  return static_cast<int>(is_open ? dist.stages : dist.processes);
}

std::vector<std::string> methods_of(AskedRun& asked) {
  const auto& settings = asked.config.get<RunOptions>();
  std::vector<std::string> methods{
      asked.resumed ? method_of_run(asked.config, asked.resumed->checkpoint) : settings.method};
  if (!settings.baseline.empty()) methods.push_back(settings.baseline);
  for (const auto& method : methods) method_named(method);
  return methods;
}

/// The folder of the run; of rank 0 alone locked.
LockedFolder folder_of_run(AskedRun& asked, ProcessGroup* group) {
  if (asked.resumed) return std::move(asked.resumed->folder);
  if (group == nullptr) return make_run_folder(asked.config);
  std::unique_ptr<LockedFolder> made;
  group->wait_for_first(
      [&] { made = std::make_unique<LockedFolder>(make_run_folder(asked.config)); },
      "the run's folder");
  const auto path = group->broadcast(made ? made->path.string() : "", "the run's folder");
  if (made) return std::move(*made);
  return {path, nullptr, std::nullopt};
}

/// \param folder of the run. \param checkpoint to go on from.
std::vector<TrainSummary> train_all(Config& config, const DataSource& data, const fs::path& folder,
                                    std::optional<Checkpoint> checkpoint, bool quiet,
                                    ProcessGroup* group) {
  const std::string baseline_method = config.get<RunOptions>().baseline;
  const std::string split = config.get<DistOptions>().split;  // before it is measured
  std::vector<TrainSummary> summaries{train(config, data, folder, checkpoint, quiet, group)};
  if (summaries[0].complete && !baseline_method.empty()) {
    const fs::path baseline_folder = folder / ("baseline-" + baseline_method);
    const auto begun = checkpoint ? find_checkpoint(baseline_folder) : std::nullopt;
    checkpoint.reset();
    Config baseline =
        is_first(group) ? config.copy((folder / "config.toml").string()) : config.copy("rank 0");
    baseline.apply("method", baseline_method, "--baseline");
    baseline.apply("baseline", "", "--baseline");
    baseline.apply("dist.split", split, "--baseline");
    summaries.push_back(train(baseline, data, baseline_folder, begun, quiet, group));
  }
  return summaries;
}

/// Tells what came of the run. \return the exit code.
int report(Config& config, const std::vector<TrainSummary>& summaries, const fs::path& folder,
           int signal, bool tells) {
  if (tells) write_summary(folder / "summary.json", config, summaries);
  if (!summaries.back().complete) {
    if (tells) {
      std::fprintf(stderr, "mlaan: stopped by %s; go on with: mlaan train --resume %s\n",
                   strsignal(signal), shell_word(folder.string()).c_str());
    }
    return StopSignals::exit_code(signal);
  }
  if (tells) {
    std::printf("%s\n%s", summary_table(summaries).c_str(),
                ("  of the " + summaries[0].reported + " epoch; all of it in " +
                 printable(folder.string()) + "\n")
                    .c_str());
  }
  return 0;
}

int train(const TrainFlags& flags, ProcessGroup* group) {
  const bool quiet = flags.quiet || !is_first(group);
  AskedRun asked = asked_run(flags, group);
  Config& config = asked.config;
  const auto methods = methods_of(asked);
  const int processes = processes_asked_for(config);
  if (group == nullptr && processes > 1) {
    asked.resumed.reset();  // its folder is for rank 0 to lock
    return launch_ranks(processes);
  }
  settle(asked, group, quiet);
  const StopSignals signals;
  if (is_first(group)) warn_of_unused(config, methods);
  DataSource data = make_data(config);
  if (flags.dry_run) return try_run(config, data, methods, group);
  std::optional<Checkpoint> checkpoint;
  if (asked.resumed) {
    data = with_classes_of(asked.resumed->checkpoint, std::move(data));
    if (!flags.allow_other_split) check_same_split(asked.resumed->checkpoint, config, data);
    if (is_first(group)) bring_along(*asked.resumed);
    checkpoint = asked.resumed->checkpoint;
  }
  const LockedFolder locked = folder_of_run(asked, group);
  asked.resumed.reset();
  const auto summaries = train_all(config, data, locked.path, std::move(checkpoint), quiet, group);
  const int signal =
      group == nullptr
          ? StopSignals::received()
          : static_cast<int>(group->highest(StopSignals::received(), "the end of the run"));
  return report(config, summaries, locked.path, signal, is_first(group));
}

int run(const TrainFlags& flags) {
  const auto place = read_rank_environment();
  if (!place || place->size == 1) return train(flags, nullptr);
  Config given;
  flags.config.apply(given);
  return run_as_rank(*place, parse_duration(given.get<DistOptions>().timeout),
                     [&](ProcessGroup& group) { return train(flags, &group); });
}

}  // namespace

Command train_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("train", "train a network and test it at the end");
  const auto flags = std::make_shared<TrainFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true, {}, /*in_ranks=*/true};
}

}  // namespace mlaan::cli
