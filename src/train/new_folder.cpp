// Removes a new run's files and folders again if the run fails before its first step.
#include "train/new_folder.h"

#include <mlaan/train/trainer.h>

#include <system_error>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

bool has_content(const fs::path& path) {
  std::error_code error;
  return !fs::is_empty(path, error) && !error;
}

/// Whether the run has logged a step or saved anything.
bool has_begun(const fs::path& folder) {
  std::error_code error;
  return has_content(folder / "steps.jsonl") ||
         has_content(last_checkpoint(folder).parent_path()) ||
         fs::exists(folder / "summary.json", error);
}

}  // namespace

NewFolder::NewFolder(const fs::path& folder, const std::vector<fs::path>& made) : folder_(folder) {
  std::error_code error;
  for (const char* name : {"config.toml", "plan.toml", "metrics.csv", "steps.jsonl"}) {
    if (!fs::exists(folder / name, error)) new_files_.push_back(folder / name);
  }
  const fs::path checkpoints = last_checkpoint(folder).parent_path();
  if (!fs::exists(checkpoints, error)) new_folders_.push_back(checkpoints);
  fs::path next = fs::absolute(folder, error).lexically_normal();
  if (!next.has_filename()) next = next.parent_path();  // "runs/one/" has an empty last component
  while (!fs::exists(next, error) && next.has_relative_path()) {
    new_folders_.push_back(next);
    next = next.parent_path();
  }
  new_folders_.insert(new_folders_.end(), made.begin(), made.end());
}

NewFolder::~NewFolder() {
  std::error_code ignored;
  if (has_begun(folder_)) return;
  for (const auto& file : new_files_) fs::remove(file, ignored);
  // remove() deletes a folder only if it is empty.
  for (const auto& made : new_folders_) fs::remove(made, ignored);
}

}  // namespace mlaan
