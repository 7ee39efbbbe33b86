// The run that `mlaan train --resume` continues.
#include "cli/resumed_run.h"

#include "core/require_file.h"
#include "train/best_checkpoint.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>

#include <utility>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

bool are_one(const fs::path& first, const fs::path& second) {
  std::error_code error;
  return fs::equivalent(first, second, error);
}

fs::path checkpoint_in(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  if (!fs::exists(last_checkpoint(path))) {
    throw UserError("nothing to resume: there is no " + last_checkpoint(path).string());
  }
  return last_checkpoint(path);
}

/// The folder to continue in: the checkpoint's own, or the one given, which must not contain a run.
LockedFolder folder_to_go_on_in(const fs::path& checkpoint, const std::string& output,
                                bool writes) {
  const fs::path own = run_folder_of(checkpoint);
  const fs::path folder = output.empty() ? own : fs::path(output);
  if (folder.empty()) {
    throw UserError(checkpoint.string() +
                    " is not in a run's folder; give the folder to continue in with --output");
  }
  if (!writes) return {folder, nullptr, std::nullopt};
  auto unless_begun = std::make_unique<NewFolder>(folder);
  FolderLock lock(folder);
  if (!are_one(folder, own) && holds_a_run(folder)) {
    throw UserError(folder.string() + " holds a different run from that of " + checkpoint.string() +
                    "; choose another --output");
  }
  return {folder, std::move(unless_begun), std::move(lock)};
}

void copy_if_there(const fs::path& from, const fs::path& to) {
  if (fs::exists(from)) write_text(to, read_text(from));
}

}  // namespace

ResumedRun resume_run(const std::string& given_path, const ConfigFlags& flags, Config& config,
                      bool writes) {
  const Settings given = flags.settings();
  const fs::path path =
      checkpoint_in(given_path.empty() ? find_run_folder(given) : fs::path(given_path));
  require_file(path);
  LockedFolder folder = folder_to_go_on_in(path, given.get<RunOptions>().output, writes);
  Checkpoint checkpoint = read_checkpoint(path);
  config.apply_text(checkpoint.info.config, path.string());
  config.apply("output", folder.path.string(), path.string());
  flags.apply(config);
  refuse_unnamed_script(checkpoint, config);
  return {std::move(checkpoint), std::move(folder)};
}

void bring_along(const ResumedRun& run) {
  const fs::path from = run_folder_of(run.checkpoint.path);
  const fs::path& to = run.folder.path;
  if (are_one(from, to)) return;
  make_writable(to);
  fs::create_directories(best_checkpoint(to).parent_path());
  for (const char* file : {"config.toml", "plan.toml", "metrics.csv", "steps.jsonl"}) {
    copy_if_there(from / file, to / file);
  }
  copy_if_there(best_checkpoint(from), best_checkpoint(to));
  copy_if_there(run.checkpoint.path, last_checkpoint(to));
}

}  // namespace mlaan::cli
