// mlaan eval: tests the network of a checkpoint.
#include "cli/commands.h"
#include "cli/run_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/log/summary.h>
#include <mlaan/measure/memory.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct EvalFlags {
  explicit EvalFlags(CLI::App& app)
      : config(app, {"dataset", "data", "batch_size", "device", "workers", "threads", "output"}) {
    app.add_option("checkpoint", path, "a checkpoint, or the folder of a run")->required();
  }

  ConfigFlags config;
  std::string path;
};

/// The checkpoint itself; or, of a run, the one whose weights its summary reports.
fs::path checkpoint_of(const fs::path& path) {
  if (!fs::is_directory(path)) return path;
  Config config;
  if (fs::exists(path / "config.toml")) config.apply_file(path / "config.toml");
  return last_checkpoint(path).parent_path() /
         (config.get<ValidationOptions>().report + ".safetensors");
}

void check_classes(const Checkpoint& checkpoint, const DataSource& data) {
  const CheckpointInfo& info = checkpoint.info;
  const auto classes = static_cast<std::int64_t>(data.classes.size());
  if (classes == info.classes && data.image_shape == info.image_shape) return;
  throw UserError(checkpoint.path.string() + " was trained on images of " +
                  to_string(info.image_shape) + " in " + std::to_string(info.classes) +
                  " classes; " + data.name + " has " + to_string(data.image_shape) + " in " +
                  std::to_string(classes));
}

int run(const EvalFlags& flags) {
  const Checkpoint checkpoint = read_checkpoint(checkpoint_of(flags.path));
  Config config;
  config.apply_text(checkpoint.info.config, checkpoint.path.string());
  config.apply("output", (run_folder_of(checkpoint.path) / "eval").string(), "default");
  flags.config.apply(config);
  prepare(config);
  const auto& settings = config.get<RunOptions>();
  const fs::path folder = settings.output;
  const DataSource data = make_data(config);
  check_classes(checkpoint, data);
  make_writable(folder);

  const torch::Device device = parse_device(settings.device);
  const std::int64_t bytes_before = measure::read_memory(device).live;
  Backbone backbone = make_backbone(config, checkpoint.info.classes, checkpoint.info.image_shape);
  load(checkpoint, backbone);
  backbone.to(device);
  backbone.train(false);
  const auto loader = make_plain_loader(config, data, data.test, all_indices(*data.test));
  measure::reset_peak(device);
  const Score score = evaluate(
      [&](const torch::Tensor& images) { return backbone.forward(images.to(device)); }, *loader);

  EvalSummary summary;
  summary.checkpoint = checkpoint.path.string();
  summary.method = settings.method;
  summary.model = checkpoint.info.model;
  summary.dataset = data.name;
  summary.epochs = checkpoint.info.state.epoch;
  summary.batch = settings.batch_size;
  summary.test_images = score.images;
  summary.test_error = score.error;
  summary.test_loss = score.loss;
  summary.seconds = score.seconds;
  summary.images_per_second = static_cast<double>(score.images) / score.seconds;
  summary.peak_bytes = measure::read_memory(device).peak - bytes_before;
  summary.parameters = element_count(backbone.named_parameters());
  write_summary(folder / "summary.json", summary);
  std::printf("%s", summary_table(summary).c_str());
  return 0;
}

}  // namespace

Command eval_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("eval", "test the network of a checkpoint");
  const auto flags = std::make_shared<EvalFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
