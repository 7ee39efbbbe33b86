// mlaan data check: reads every picture in a folder, and lists those that are damaged.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "log/terminal_line.h"

#include <mlaan/core/process.h>
#include <mlaan/core/quantity.h>
#include <mlaan/data/picture_check.h>

#include <chrono>
#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

constexpr int exit_damaged = 2;

struct CheckFlags {
  explicit CheckFlags(CLI::App& app) {
    app.add_option("folder", folder, "folder of pictures, searched with its subfolders")
        ->required()
        ->type_name("DIR");
    app.add_option("-j,--workers", workers, "reading threads; 0: one for each processor [0]")
        ->check(CLI::Range(0, 256))
        ->type_name("N")
        ->group(group::data);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  std::string folder;
  int workers = 0;
  bool quiet = false;
};

int check(const CheckFlags& flags) {
  const bool terminal = renews_lines(stderr);
  auto last_line = std::chrono::steady_clock::now();
  const auto progress = [&](std::int64_t done, std::int64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (flags.quiet || now - last_line < time_between_lines(terminal)) return;
    last_line = now;
    std::fprintf(stderr, terminal ? "\r\033[K%s of %s" : "%s of %s\n", format_count(done).c_str(),
                 format_count(of).c_str());
  };
  const int threads = flags.workers > 0 ? flags.workers : available_processors();
  const PictureCheck result = check_pictures(flags.folder, threads, progress);
  if (terminal && !flags.quiet) std::fprintf(stderr, "\r\033[K");
  for (const auto& damaged : result.damaged) std::printf("%s\n", damaged.c_str());
  const auto count = static_cast<std::int64_t>(result.damaged.size());
  std::printf("%s pictures read, %s damaged\n", format_count(result.pictures).c_str(),
              format_count(count).c_str());
  return count > 0 ? exit_damaged : 0;
}

}  // namespace

Verb data_check_verb(CLI::App& data) {
  CLI::App* app =
      data.add_subcommand("check", "read every picture of a folder, and list the damaged ones");
  const auto flags = std::make_shared<CheckFlags>(*app);
  return {app, [flags] { return check(*flags); }};
}

}  // namespace mlaan::cli
