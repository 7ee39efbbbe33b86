// The copy of the plan that is kept in a run's folder.
#include "train/own_plan.h"

#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/trainer.h>

namespace mlaan {

namespace fs = std::filesystem;

std::string method_of_run(const Settings& settings, const fs::path& run_folder) {
  const std::string& method = settings.get<RunOptions>().method;
  const fs::path copy = run_folder / "plan.toml";
  const fs::path record = run_folder / "config.toml";
  const bool was_begun = fs::exists(last_checkpoint(run_folder)) && fs::exists(record);
  if (!is_plan_file(method) || !was_begun || !fs::exists(copy)) return method;
  const Settings recorded = read_settings(record);
  return recorded.get<RunOptions>().method == method ? copy.string() : method;
}

std::string method_of_run(const Settings& settings, const Checkpoint& checkpoint) {
  return method_of_run(settings, checkpoint.path.parent_path() / "..");
}

}  // namespace mlaan
