// mlaan report: writes an HTML page about runs and comparisons.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_page.h>
#include <mlaan/log/run_page.h>
#include <mlaan/log/summary.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>
#include <optional>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct ReportFlags {
  explicit ReportFlags(CLI::App& app)
      : config(app, {"data", "model", "device", "workers", "threads"}, /*flags_of_methods=*/false) {
    app.add_option("paths", paths, "folders of runs and of comparisons")
        ->required()
        ->type_name("DIR");
    app.add_option("-o,--output", output, "the page to write [report.html in the first folder]")
        ->type_name("FILE")
        ->group(group::results);
    app.add_flag("--logs-only", logs_only, "use the logs only: test no network, measure no step")
        ->group(group::measurement);
    app.add_option("--pictures", pictures, "worst pictures to show of each run [24]")
        ->check(CLI::Range(0, 1000))
        ->type_name("N")
        ->group(group::results);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  std::vector<std::string> paths;
  std::string output;
  bool logs_only = false;
  std::int64_t pictures = 24;
  bool quiet = false;
};

void tell(const ReportFlags& flags, const std::string& what) {
  if (!flags.quiet) std::fprintf(stderr, "%s\n", printable(what).c_str());
}

/// Reads the logs of a run.
RunStory read_run_story(const fs::path& folder) {
  RunStory story;
  story.name = folder.string();
  story.record = read_run_record(folder);
  if (fs::exists(folder / "config.toml")) story.settings = read_text(folder / "config.toml");
  if (fs::exists(folder / "summary.json")) {
    story.summaries.push_back(read_summary(folder / "summary.json"));
  }
  return story;
}

/// Tests the network and measures a step. If that fails, for example because the data are missing,
/// the page gets a remark and keeps its other parts.
void add_measurements(const ReportFlags& flags, const fs::path& folder, RunStory& story) {
  const fs::path path = reported_checkpoint(folder);
  if (!fs::exists(path)) {
    story.remarks.push_back("There is no checkpoint, so no network was tested.");
    return;
  }
  try {
    std::optional<TrainingPhase> phase;
    const DataSource data = [&] {
      // Freed before the step is measured, so that its tensors are not counted.
      const Checkpoint checkpoint = read_checkpoint(path);
      const Settings settings = flags.config.on_top_of(checkpoint);
      prepare(settings);
      story.class_names = checkpoint.info.class_names;
      DataSource source = with_classes_of(checkpoint, make_data(settings));
      tell(flags, "testing the network of " + folder.string());
      story.examination =
          examine_network(checkpoint, settings, source, static_cast<std::size_t>(flags.pictures));
      phase = longest_phase(checkpoint, settings);
      return source;
    }();
    tell(flags, "measuring a step of " + folder.string());
    constexpr std::int64_t steps = 3;
    story.profile = profile_of_phase(*phase, data, steps);
  } catch (const UserError& error) {
    const std::string why = std::string("Not all could be measured: ") + error.what();
    story.remarks.push_back(why);
    std::fprintf(stderr, "mlaan: note: %s\n", printable(why).c_str());
  }
}

std::string section_of_run(const ReportFlags& flags, const fs::path& folder) {
  RunStory story = read_run_story(folder);
  if (!flags.logs_only) add_measurements(flags, folder, story);
  return run_section(story);
}

std::string section_of(const ReportFlags& flags, const fs::path& folder) {
  if (fs::exists(folder / "comparison.json")) {
    const ComparisonStory story = read_comparison_story(folder);
    std::string html = comparison_section(story);
    for (const auto& run : story.runs) {
      RunStory of_run = read_run_story(run.folder);
      of_run.name = run.method + ", seed " + std::to_string(run.seed);
      html += "<details><summary>" + run_heading(of_run) + "</summary>\n" + run_section(of_run) +
              "</details>\n";
    }
    return html;
  }
  if (fs::exists(folder / "config.toml")) return section_of_run(flags, folder);
  throw UserError(folder.string() +
                  " is not the folder of a run or of a comparison: it has neither config.toml nor "
                  "comparison.json");
}

int run(const ReportFlags& flags) {
  std::string body;
  for (const auto& path : flags.paths) body += section_of(flags, path);
  const fs::path output =
      flags.output.empty() ? fs::path(flags.paths.front()) / "report.html" : fs::path(flags.output);
  write_text(output, report_page("mlaan: " + flags.paths.front(), body));
  std::printf("  %s\n", printable(output.string()).c_str());
  return 0;
}

}  // namespace

Command report_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "report", "write a page about runs and comparisons: curves, errors, bytes, mistakes");
  const auto flags = std::make_shared<ReportFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
