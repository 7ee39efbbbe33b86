// mlaan eval: tests the network of a checkpoint, or one with given weights.
#include "cli/commands.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"

#include <mlaan/core/error.h>
#include <mlaan/log/summary.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct EvalFlags {
  explicit EvalFlags(CLI::App& app)
      : config(app,
               {"dataset", "data", "model", "weights", "batch_size", "device", "workers", "threads",
                "output"},
               /*flags_of_methods=*/false) {
    app.add_option("checkpoint", path,
                   "a checkpoint, or the folder of a run; without it, --model with --weights");
    app.add_flag("--per-class", per_class, "print the errors of each class, too");
    app.add_option("--json", json, "file to write the results to, besides OUTPUT/summary.json")
        ->type_name("FILE");
  }

  ConfigFlags config;
  std::string path;
  std::string json;
  bool per_class = false;
};

/// The checkpoint to test, whose settings come before those given now; nothing where weights are to
/// be tested.
std::optional<Checkpoint> take_checkpoint(const EvalFlags& flags, Config& config) {
  Config given;
  flags.config.apply(given);
  const auto& settings = given.get<RunOptions>();
  if (flags.path.empty()) {
    if (settings.weights.empty()) {
      throw UserError("eval needs a checkpoint or a run's folder, or --model NAME --weights FILE");
    }
    config.apply("output", "runs/" + settings.dataset + "-weights-eval", "default");
    return std::nullopt;
  }
  if (!settings.weights.empty()) {
    throw UserError("eval takes either a checkpoint or --weights; it was given " + flags.path +
                    " and " + settings.weights);
  }
  Checkpoint checkpoint = read_checkpoint(reported_checkpoint(flags.path));
  config.apply_text(checkpoint.info.config, checkpoint.path.string());
  config.apply("output", (run_folder_of(checkpoint.path) / "eval").string(), "default");
  return checkpoint;
}

int run(const EvalFlags& flags) {
  Config config;
  const std::optional<Checkpoint> checkpoint = take_checkpoint(flags, config);
  flags.config.apply(config);
  prepare(config);
  const auto& settings = config.get<RunOptions>();
  const fs::path folder = settings.output;
  DataSource data = make_data(config);
  if (checkpoint) data = with_classes_of(*checkpoint, std::move(data));
  if (holds_a_run(folder) && fs::exists(folder / "config.toml")) {
    throw UserError(folder.string() +
                    " holds a run, whose summary would be lost; choose another "
                    "--output");
  }
  make_writable(folder);

  const torch::Device device = parse_device(settings.device);
  const std::int64_t bytes_before = measure::read_memory(device).live;
  const Backbone backbone =
      checkpoint ? read_backbone(*checkpoint, config) : make_backbone(config, data);
  backbone.train(false);
  backbone.to(device);
  const auto loader = make_plain_loader(
      config, data, data.test, all_indices(*data.test), [](const std::string& what) {
        std::fprintf(stderr, "mlaan: skipped %s\n", printable(what).c_str());
      });
  measure::reset_peak(device);
  EvalSummary summary;
  summary.score = evaluate(
      [&](const torch::Tensor& images) { return backbone.forward(images.to(device)); }, *loader);
  summary.checkpoint = checkpoint ? checkpoint->path.string() : settings.weights;
  summary.method = checkpoint ? settings.method : "";
  summary.model = settings.model;
  summary.dataset = data.name;
  summary.class_names = data.classes;
  summary.epochs = checkpoint ? checkpoint->info.state.epoch : 0;
  summary.batch = settings.batch_size;
  summary.images_per_second = static_cast<double>(summary.score.images) / summary.score.seconds;
  summary.peak_bytes = measure::read_memory(device).peak - bytes_before;
  summary.parameters = element_count(backbone.named_parameters());
  write_summary(folder / "summary.json", summary);
  if (!flags.json.empty()) write_summary(flags.json, summary);
  std::printf("%s", summary_table(summary).c_str());
  if (flags.per_class) std::printf("\n%s", class_table(summary).c_str());
  return 0;
}

}  // namespace

Command eval_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("eval", "test the network of a checkpoint, or given weights");
  const auto flags = std::make_shared<EvalFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
