// The output folder of a run.
#include "cli/run_folder.h"

#include "train/new_folder.h"
#include "train/recorded_settings.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/trainer.h>

#include <cstdlib>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <utility>
#include <vector>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

fs::path numbered_folder(const Settings& settings, int number) {
  const auto& run = settings.get<RunOptions>();
  // If a name is a path, only its last part is used.
  std::string name = run.dataset + "-" + fs::path(run.model).filename().string() + "-" +
                     fs::path(run.method).filename().string();
  if (number > 1) name += "-" + std::to_string(number);
  return fs::path("runs") / name;
}

/// Numbered folders with a checkpoint, the newest first, whatever their settings.
std::vector<fs::path> runs_alike(const Settings& settings) {
  const std::string first = numbered_folder(settings, 1).filename().string();
  std::set<int, std::greater<>> numbers{1};
  std::error_code error;
  for (const auto& item : fs::directory_iterator("runs", error)) {
    const std::string name = item.path().filename().string();
    if (name.compare(0, first.size() + 1, first + "-") != 0) continue;
    numbers.insert(std::atoi(name.c_str() + first.size() + 1));
  }
  std::vector<fs::path> runs;
  for (const int number : numbers) {
    const fs::path folder = numbered_folder(settings, number);
    if (fs::exists(last_checkpoint(folder)) && fs::exists(folder / "config.toml")) {
      runs.push_back(folder);
    }
  }
  return runs;
}

/// The first setting that differs from those the run was begun with, apart from settings that a
/// resumed run may change.
std::optional<OtherSetting> other_setting_of(const fs::path& run, const Settings& asked) {
  const Settings recorded = read_settings(run / "config.toml");
  std::set<std::string> besides{"epochs",      "baseline",   "dist.processes",
                                "dist.stages", "dist.split", "dist.timeout"};
  const std::string& memory = asked.get<RunOptions>().memory;
  if (!memory.empty() && memory == recorded.get<RunOptions>().memory) {
    // settings that the planner has chosen to fit into `memory`
    besides.insert({"modules", "partition", "engine.recompute", "engine.micro_batches"});
  }
  return first_difference(recorded, asked, besides);
}

/// Creates the first numbered folder that does not exist; safe if other processes do the same.
fs::path make_numbered_folder(const Settings& settings) {
  fs::create_directories("runs");
  int number = 1;
  while (!fs::create_directory(numbered_folder(settings, number))) ++number;
  return numbered_folder(settings, number);
}

}  // namespace

bool holds_a_run(const fs::path& folder) {
  return fs::exists(last_checkpoint(folder)) || fs::exists(folder / "summary.json");
}

LockedFolder make_run_folder(const Settings& settings) {
  fs::path folder = settings.get<RunOptions>().output;
  std::unique_ptr<NewFolder> unless_begun;
  if (folder.empty()) {
    const bool first_of_all = !fs::exists("runs");
    folder = make_numbered_folder(settings);
    std::vector<fs::path> made{folder};
    if (first_of_all) made.emplace_back("runs");
    unless_begun = std::make_unique<NewFolder>(folder, made);
  } else {
    unless_begun = std::make_unique<NewFolder>(folder);
  }
  FolderLock lock(folder);
  if (holds_a_run(folder)) {
    throw UserError(folder.string() +
                    " holds a run already; go on with it by --resume, or choose another --output");
  }
  make_writable(folder);
  write_text(folder / "config.toml", settings.to_toml());
  return {folder, std::move(unless_begun), std::move(lock)};
}

void make_writable(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw UserError("cannot make the output folder " + folder.string() + ": " + error.message());
  }
  remove_abandoned_parts(folder);
  const fs::path trial = folder / ".writable";
  write_text(trial, "");
  fs::remove(trial);
}

fs::path find_run_folder(const Settings& settings) {
  const fs::path folder = settings.get<RunOptions>().output;
  if (!folder.empty()) {
    if (fs::exists(last_checkpoint(folder))) return folder;
    throw UserError("nothing to resume: there is no " + last_checkpoint(folder).string());
  }
  const auto runs = runs_alike(settings);
  for (const auto& run : runs) {
    if (!other_setting_of(run, settings)) return run;
  }
  if (runs.empty()) {
    throw UserError("nothing to resume: there is no " +
                    last_checkpoint(numbered_folder(settings, 1)).string());
  }
  const auto other = other_setting_of(runs.front(), settings);
  throw UserError("nothing to resume: no run was begun with these settings; the newest, " +
                  runs.front().string() + ", has " + other->key + " = " + to_toml(other->recorded) +
                  ", where " + to_toml(other->asked) +
                  " is asked for; to go on with it, name it: --resume " + runs.front().string());
}

fs::path run_folder_of(const fs::path& checkpoint) {
  const fs::path checkpoints = fs::absolute(checkpoint).parent_path();
  if (checkpoints.filename() != last_checkpoint("").parent_path().filename()) return "";
  const fs::path folder = checkpoint.parent_path().parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

}  // namespace mlaan::cli
