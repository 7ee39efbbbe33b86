// mlaan train --dry-run: whether a run would work, on as few batches as it takes to know.
#include "cli/dry_run.h"

#include "io/temporary_folder.h"
#include "train/joint_training.h"

#include <mlaan/core/quantity.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/signals.h>
#include <mlaan/train/trainer.h>

#include <cstdio>
#include <filesystem>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

Config shortened(const Config& config, const std::string& method, const fs::path& folder) {
  const std::string origin = "--dry-run";
  Config shorter = config.copy("the settings of the run");
  shorter.apply("method", method, origin);
  shorter.apply("output", folder.string(), origin);
  const auto phases = training_phases(shorter, method_named(method));
  const std::int64_t steps = steps_for_every_phase(phases);
  shorter.apply("epochs", std::to_string(steps), origin);
  shorter.apply("limit.steps", std::to_string(steps), origin);
  for (const char* key : {"limit.validation_batches", "limit.test_batches"}) {
    shorter.apply(key, "1", origin);
  }
  return shorter;
}

}  // namespace

int try_run(Config& config, const DataSource& data, const std::vector<std::string>& methods,
            ProcessGroup* group) {
  const TemporaryFolder folder("dry-run");
  for (const auto& method : methods) {
    const fs::path run_folder = folder / "run";
    Config settings = shortened(config, method, run_folder);
    Trainer trainer(settings, data, run_folder, group);
    const TrainSummary summary = trainer.run(StopSignals::requested);
    if (!summary.complete) return StopSignals::exit_code();
    if (!is_first(group)) continue;
    const Checkpoint checkpoint = read_checkpoint(last_checkpoint(run_folder));
    const std::int64_t steps = checkpoint.info.state.step;
    std::printf(
        "%s: %lld step%s, a batch to validate on and one to test on, a checkpoint of %s: works, "
        "with a peak of %s\n",
        method.c_str(), static_cast<long long>(steps), steps == 1 ? "" : "s",
        format_bytes(static_cast<std::int64_t>(fs::file_size(checkpoint.path))).c_str(),
        format_bytes(summary.peak_bytes).c_str());
    fs::remove_all(run_folder);
  }
  return 0;
}

}  // namespace mlaan::cli
