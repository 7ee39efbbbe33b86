// mlaan train: trains a network by a method and tests it at the end.
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
#include <mlaan/train/measured_settings.h>
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

/// Keys of settings that have a flag of their own, besides those of augmentation and optimizers.
std::vector<std::string> own_keys() {
  return {"dataset",
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
          "save.every"};
}

struct TrainFlags {
  explicit TrainFlags(CLI::App& app)
      : config(app, with_optimization(with_augmentation(own_keys()))) {
    resume_option =
        app.add_option("--resume", resume,
                       "resume from a checkpoint, or from the last one of a run's folder; without "
                       "PATH: from --output, or from the newest run of these settings")
            ->expected(0, 1)
            ->type_name("PATH")
            ->group(group::saving);
    app.add_flag("--allow-other-split", allow_other_split,
                 "let --resume use another seed, validation.fraction or number of images, and so "
                 "validate on images that were trained on")
        ->group(group::saving);
    app.add_flag("--dry-run", dry_run,
                 "try each phase, validation, a checkpoint and the test on as few batches as "
                 "possible, in a temporary folder")
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

/// \param settings as measured_by_first() returns them.
TrainSummary train(const Settings& settings, const DataSource& data, const fs::path& folder,
                   const std::optional<Checkpoint>& checkpoint, bool quiet, ProcessGroup* group) {
  Trainer trainer(settings, data, folder, group);
  if (!quiet) print_measured_format(settings);
  if (checkpoint) trainer.resume(*checkpoint);
  Progress progress(stderr, quiet);
  trainer.add_observer(progress);
  if (!is_first(group)) return trainer.run(StopSignals::requested, StopSignals::take_save_request);
  MetricsFiles files(folder);
  trainer.add_observer(files);
  TensorBoardFile tensorboard(folder);
  if (settings.get<LogOptions>().tensorboard) trainer.add_observer(tensorboard);
  return trainer.run(StopSignals::requested, StopSignals::take_save_request);
}

/// Replaces settings by those that the planner finds to fit into the run's memory limit.
Settings fitted_into_memory(const Settings& asked, bool quiet) {
  const std::int64_t bytes = memory_limit(asked);
  const auto progress = [quiet](const std::string& what) {
    if (!quiet) std::fprintf(stderr, "trying %s\n", what.c_str());
  };
  const std::string key = plan_key(asked, version());
  const auto kept = find_kept_plan(key);
  PlanReport report;
  Settings settings = asked;
  if (kept) {
    report = *kept;
  } else {
    const DataSource data = make_data(asked);
    settings = with_faster_memory_format(asked, data);
    report = plan_training(settings, data, bytes, /*rivals=*/false, progress);
    keep_plan(key, report);
  }
  const auto& method = asked.get<RunOptions>().method;
  if (!report.chosen) {
    throw Error("no setting of " + method + " that was tried fits into " + format_bytes(bytes) +
                "; see `mlaan plan`");
  }
  const auto& chosen = report.settings[*report.chosen];
  if (!quiet) {
    std::fprintf(stderr,
                 "%s: %lld modules (%s), recompute %s, %lld micro-batches: %s of %s, predicted%s\n",
                 method.c_str(), static_cast<long long>(chosen.modules), chosen.partition.c_str(),
                 chosen.recompute.c_str(), static_cast<long long>(chosen.micro_batches),
                 format_bytes(chosen.peak_bytes).c_str(), format_bytes(bytes).c_str(),
                 kept ? " earlier; `mlaan plan` searches again" : "");
  }
  return applied(chosen, settings, "--memory");
}

/// The last checkpoint of a folder, if there is one.
std::optional<Checkpoint> find_checkpoint(const fs::path& folder) {
  if (!fs::exists(last_checkpoint(folder))) return std::nullopt;
  return read_checkpoint(last_checkpoint(folder));
}

/// Records the number of threads that a run chooses by itself. A resumed run uses the same number,
/// since results depend on it bit by bit. \param processors that the run may use.
Settings with_threads(const Settings& settings, int processors) {
  if (settings.get<RunOptions>().threads > 0) return settings;
  return settings.with("threads", std::to_string(processors), "one for each processor");
}

/// \param before threads of the resumed run; 0: none, or not recorded.
void tell_of_other_threads(std::int64_t before, std::int64_t threads, int processors) {
  if (before == 0) return;
  if (threads != before) {
    std::fprintf(stderr,
                 "mlaan: note: resuming with %lld threads, where the run had %lld: results will "
                 "differ in rounding from an uninterrupted run\n",
                 static_cast<long long>(threads), static_cast<long long>(before));
  } else if (threads > processors) {
    std::fprintf(stderr,
                 "mlaan: note: resuming with %lld threads as before, though there are %d "
                 "processors; --threads 0 is faster, but rounds differently\n",
                 static_cast<long long>(threads), processors);
  }
}

/// The number of threads of the resumed run, unless another is asked for; 0 if that run had another
/// number of processes.
std::int64_t threads_to_keep(const Checkpoint& checkpoint, const Settings& settings) {
  const Settings recorded = recorded_settings(checkpoint);
  const bool same_processes =
      recorded.get<DistOptions>().processes == settings.get<DistOptions>().processes;
  return same_processes ? recorded.get<RunOptions>().threads : 0;
}

/// The settings of a resumed run; if the number of stages differs, the old stage split is dropped.
Settings with_split_left_open(const Settings& settings, const Checkpoint& checkpoint) {
  const Settings recorded = recorded_settings(checkpoint);
  const bool is_other = recorded.get<DistOptions>().stages != settings.get<DistOptions>().stages;
  if (!is_other || settings.origin("dist.split") != checkpoint.path.string()) return settings;
  return settings.with("dist.split", DistOptions().split, "another number of stages");
}

/// What to resume from: what the flags name; or, if the launcher has restarted all ranks, the last
/// checkpoint of the earlier ranks. \return nothing for a new run.
std::optional<std::string> checkpoint_to_go_on_from(const TrainFlags& flags,
                                                    const ProcessGroup* group) {
  if (flags.resume_option->count() > 0) return flags.resume;
  if (group == nullptr || group->place().restarts == 0 || flags.dry_run) return std::nullopt;
  try {
    return find_run_folder(flags.config.settings()).string();
  } catch (const UserError&) {
    return std::nullopt;
  }
}

/// The run as asked for, before any of its objects are made.
struct AskedRun {
  Settings settings;
  std::optional<ResumedRun> resumed;
};

AskedRun asked_run(const TrainFlags& flags, ProcessGroup* group) {
  AskedRun asked;
  Config config;
  if (const auto path = checkpoint_to_go_on_from(flags, group)) {
    asked.resumed.emplace(resume_run(*path, flags.config, config, is_first(group)));
  } else {
    flags.config.apply(config);
  }
  config.make_paths_absolute();
  asked.settings = config;
  if (asked.resumed) {
    asked.settings = with_split_left_open(asked.settings, asked.resumed->checkpoint);
  }
  return asked;
}

/// The settings of a resumed run; if the number of processes differs, the old thread count is
/// dropped.
Settings with_threads_left_open(const Settings& settings, const Checkpoint& checkpoint) {
  const bool as_before = settings.origin("threads") == checkpoint.path.string();
  if (!as_before || threads_to_keep(checkpoint, settings) > 0) return settings;
  return settings.with("threads", "0", "another number of processes");
}

/// Settles the settings that depend on the machine; if there are several ranks, for all alike.
Settings settled(const AskedRun& asked, ProcessGroup* group, bool quiet) {
  Settings settings = asked.settings;
  if (group != nullptr) {
    settings = with_layout(settings, *group);
    check_started_alike(settings, *group);
  }
  const int processors = group == nullptr ? available_processors() : processors_of_rank(*group);
  std::int64_t threads_before = 0;
  if (asked.resumed) {
    threads_before = threads_to_keep(asked.resumed->checkpoint, settings);
    settings = with_threads_left_open(settings, asked.resumed->checkpoint);
  }
  settings = with_threads(settings, processors);
  if (is_first(group)) {
    tell_of_other_threads(threads_before, settings.get<RunOptions>().threads, processors);
  }
  prepare(settings);
  if (asked.resumed || settings.get<RunOptions>().memory.empty()) return settings;
  return settled_by_first(
      settings, group, {"modules", "partition", "engine.recompute", "engine.micro_batches"},
      [&](const Settings& fat) { return fitted_into_memory(fat, quiet); }, "finding what fits");
}

/// \throws UserError for a memory limit with stages, which planning by one process cannot keep.
void check_memory_can_be_planned(const AskedRun& asked) {
  const auto& memory = asked.settings.get<RunOptions>().memory;
  const std::int64_t stages = asked.settings.get<DistOptions>().stages;
  if (asked.resumed || memory.empty() || stages == 1) return;
  throw UserError("memory = \"" + memory +
                  "\" is what one process with all modules may take; with "
                  "dist.stages = " +
                  std::to_string(stages) + " leave it empty: mlaan plan --stages " +
                  std::to_string(stages) + " says what each stage takes");
}

std::vector<std::string> methods_of(const AskedRun& asked) {
  const auto& run = asked.settings.get<RunOptions>();
  std::vector<std::string> methods{
      asked.resumed ? method_of_run(asked.settings, asked.resumed->checkpoint) : run.method};
  if (!run.baseline.empty()) methods.push_back(run.baseline);
  for (const auto& method : methods) method_named(method);
  return methods;
}

/// The run's folder, which only rank 0 locks.
LockedFolder folder_of_run(AskedRun& asked, const Settings& settings, ProcessGroup* group) {
  if (asked.resumed) return std::move(asked.resumed->folder);
  if (group == nullptr) return make_run_folder(settings);
  std::unique_ptr<LockedFolder> made;
  group->wait_for_first([&] { made = std::make_unique<LockedFolder>(make_run_folder(settings)); },
                        "the run's folder");
  const auto path = group->broadcast(made ? made->path.string() : "", "the run's folder");
  if (made) return std::move(*made);
  return {path, nullptr, std::nullopt};
}

/// \param folder of the run. \param checkpoint to resume from, if any.
std::vector<TrainSummary> train_all(const Settings& asked, const DataSource& data,
                                    const fs::path& folder, std::optional<Checkpoint> checkpoint,
                                    bool quiet, ProcessGroup* group) {
  const std::string baseline_method = asked.get<RunOptions>().baseline;
  const Settings settings =
      measured_by_first(asked, data, method_named(method_of_run(asked, folder)), group);
  std::vector<TrainSummary> summaries{train(settings, data, folder, checkpoint, quiet, group)};
  if (summaries[0].complete && !baseline_method.empty()) {
    const fs::path baseline_folder = folder / ("baseline-" + baseline_method);
    const auto begun = checkpoint ? find_checkpoint(baseline_folder) : std::nullopt;
    checkpoint.reset();
    const Settings alike =
        settings.coming_from(is_first(group) ? (folder / "config.toml").string() : "rank 0")
            .with({{"method", baseline_method},
                   {"baseline", ""},
                   {"dist.split", asked.get<DistOptions>().split}},
                  "--baseline");
    const Settings baseline = measured_by_first(alike, data, method_named(baseline_method), group);
    summaries.push_back(train(baseline, data, baseline_folder, begun, quiet, group));
  }
  return summaries;
}

/// Reports the results of the run. \return the exit code.
int report(const Settings& settings, const std::vector<TrainSummary>& summaries,
           const fs::path& folder, int signal, bool tells) {
  if (tells) write_summary(folder / "summary.json", settings, summaries);
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
  check_memory_can_be_planned(asked);
  const auto methods = methods_of(asked);
  const int processes = processes_asked_for(asked.settings);
  if (group == nullptr && processes > 1) {
    asked.resumed.reset();  // rank 0 locks the folder itself
    return launch_ranks(processes);
  }
  Settings settings = settled(asked, group, quiet);
  const StopSignals signals;
  if (is_first(group)) warn_of_unused(settings, methods);
  DataSource data = make_data(settings);
  if (flags.dry_run) return try_run(settings, data, methods, group);
  std::optional<Checkpoint> checkpoint;
  if (asked.resumed) {
    data = with_classes_of(asked.resumed->checkpoint, std::move(data));
    if (!flags.allow_other_split) check_same_split(asked.resumed->checkpoint, settings, data);
    if (is_first(group)) bring_along(*asked.resumed);
    checkpoint = asked.resumed->checkpoint;
  }
  const LockedFolder locked = folder_of_run(asked, settings, group);
  asked.resumed.reset();
  const auto summaries =
      train_all(settings, data, locked.path, std::move(checkpoint), quiet, group);
  return report(settings, summaries, locked.path, received_signal(group), is_first(group));
}

int run(const TrainFlags& flags) {
  const auto place = read_rank_environment();
  if (!place || place->size == 1) return train(flags, nullptr);
  const Settings given = flags.config.settings();
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
