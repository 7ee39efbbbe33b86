// The folder that a run writes to.
#include "cli/run_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/train/options.h>
#include <mlaan/train/trainer.h>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

fs::path numbered_folder(Config& config, int number) {
  const auto& run = config.get<RunOptions>();
  const std::string model = fs::path(run.model).filename().string();  // of a file, its name alone
  std::string name = run.dataset + "-" + model + "-" + run.method;
  if (number > 1) name += "-" + std::to_string(number);
  return fs::path("runs") / name;
}

bool holds_a_run(const fs::path& folder) {
  return fs::exists(last_checkpoint(folder)) || fs::exists(folder / "summary.json");
}

}  // namespace

fs::path choose_run_folder(Config& config) {
  fs::path folder = config.get<RunOptions>().output;
  if (folder.empty()) {
    int number = 1;
    while (fs::exists(numbered_folder(config, number))) ++number;
    folder = numbered_folder(config, number);
  } else if (holds_a_run(folder)) {
    throw UserError(folder.string() +
                    " holds a run already; go on with it by --resume, or choose another --output");
  }
  return folder;
}

void make_run_folder(const fs::path& folder, const Config& config) {
  make_writable(folder);
  write_text(folder / "config.toml", config.to_toml());
}

void make_writable(const fs::path& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  if (error || !fs::is_directory(folder)) {
    throw UserError("cannot make the output folder " + folder.string() + ": " + error.message());
  }
  const fs::path trial = folder / ".writable";
  write_text(trial, "");
  fs::remove(trial);
}

fs::path find_run_folder(Config& config) {
  fs::path folder = config.get<RunOptions>().output;
  if (folder.empty()) {
    folder = numbered_folder(config, 1);
    for (int number = 2; fs::exists(numbered_folder(config, number)); ++number) {
      if (holds_a_run(numbered_folder(config, number))) folder = numbered_folder(config, number);
    }
  }
  if (!fs::exists(last_checkpoint(folder))) {
    throw UserError("nothing to resume: there is no " + last_checkpoint(folder).string());
  }
  return folder;
}

fs::path run_folder_of(const fs::path& checkpoint) {
  const fs::path checkpoints = fs::absolute(checkpoint).parent_path();
  if (checkpoints.filename() != last_checkpoint("").parent_path().filename()) return "";
  const fs::path folder = checkpoint.parent_path().parent_path();
  return folder.empty() ? fs::path(".") : folder;
}

}  // namespace mlaan::cli
