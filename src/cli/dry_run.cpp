// mlaan train --dry-run: tests on a few batches whether a run would work.
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

Settings shortened(const Settings& settings, const std::string& method, const fs::path& folder) {
  const auto phases = training_phases(settings, method_named(method));
  const std::string steps = std::to_string(steps_for_every_phase(phases));
  return settings.with({{"method", method},
                        {"output", folder.string()},
                        {"epochs", steps},
                        {"limit.steps", steps},
                        {"limit.validation_batches", "1"},
                        {"limit.test_batches", "1"}},
                       "--dry-run");
}

}  // namespace

int try_run(const Settings& settings, const DataSource& data,
            const std::vector<std::string>& methods, ProcessGroup* group) {
  const TemporaryFolder folder("dry-run");
  for (const auto& method : methods) {
    const fs::path run_folder = folder / "run";
    const Settings shorter = measured_by_first(shortened(settings, method, run_folder), data,
                                               method_named(method), group);
    Trainer trainer(shorter, data, run_folder, group);
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
