// mlaan analyze: probes the modules of a trained network, and compares it with another network.
#include "cli/commands.h"
#include "cli/key_flag.h"

#include <mlaan/log/analysis_report.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>
#include <optional>

namespace mlaan::cli {
namespace {

struct AnalyzeFlags {
  explicit AnalyzeFlags(CLI::App& app)
      : config(app, {"data", "model", "batch_size", "device", "workers", "threads"},
               /*flags_of_methods=*/false) {
    app.add_option("run", path, "the folder of a run, or a checkpoint")
        ->required()
        ->type_name("PATH");
    app.add_option("--against", against,
                   "another run or checkpoint of the same backbone and data set, to compare "
                   "outputs of units with")
        ->type_name("PATH")
        ->group(group::measurement);
    app.add_option("--pool", options.side,
                   "parts per side that probes average maps over; 1: global average pooling [1]")
        ->check(CLI::Range(1, 8))
        ->type_name("N")
        ->group(group::measurement);
    app.add_option("--probe-images", options.probe_images,
                   "train probes on at most this many of the run's training images; 0: all [0]")
        ->check(CLI::Range(0, 1000000000))
        ->type_name("N")
        ->group(group::measurement);
    app.add_option("--similarity-images", options.similarity_images,
                   "test images to compare networks on [500]")
        ->check(CLI::Range(4, 100000))
        ->type_name("N")
        ->group(group::measurement);
    app.add_flag("--test", options.test, "measure on the test images too")
        ->group(group::measurement);
    app.add_option("--json", json, "file to write the results to")
        ->type_name("FILE")
        ->group(group::results);
    app.add_flag("-q,--quiet", quiet, "no progress on stderr")->group(group::logging);
  }

  ConfigFlags config;
  AnalysisOptions options;
  std::string path;
  std::string against;
  std::string json;
  bool quiet = false;
};

int run(const AnalyzeFlags& flags) {
  const Checkpoint checkpoint = read_checkpoint(reported_checkpoint(flags.path));
  std::optional<Checkpoint> other;
  if (!flags.against.empty()) other = read_checkpoint(reported_checkpoint(flags.against));
  const Settings settings = flags.config.on_top_of(checkpoint);
  prepare(settings);
  const DataSource data = with_classes_of(checkpoint, make_data(settings));
  const auto progress = [&](const std::string& what) {
    if (!flags.quiet) std::fprintf(stderr, "%s\n", what.c_str());
  };
  // The similarity comes first, since its checks are stricter.
  std::optional<SimilarityAnalysis> similarity;
  if (other) {
    similarity = analyse_similarity(checkpoint, settings, *other, flags.config.on_top_of(*other),
                                    data, flags.options, progress);
  }
  NetworkAnalysis analysis = analyse_network(checkpoint, settings, data, flags.options, progress);
  analysis.similarity = std::move(similarity);
  std::printf("%s", analysis_table(analysis).c_str());
  if (!flags.json.empty()) write_analysis(flags.json, analysis);
  return 0;
}

}  // namespace

Command analyze_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand(
      "analyze", "probe the modules of a trained network, and compare its units with another's");
  const auto flags = std::make_shared<AnalyzeFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
