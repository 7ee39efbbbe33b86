// mlaan predict: what a trained network makes of picture files.
#include "cli/commands.h"
#include "core/byte_text.h"

#include <mlaan/data/picture.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/prediction_report.h>
#include <mlaan/train/options.h>
#include <mlaan/train/predict.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>

namespace mlaan::cli {
namespace {

struct PredictFlags {
  explicit PredictFlags(CLI::App& app)
      : config(app, {"model", "batch_size", "device", "threads"}, /*flags_of_methods=*/false) {
    app.add_option("checkpoint", path, "a checkpoint, or the folder of a run")->required();
    app.add_option("pictures", files, "JPEG, PNG or WebP files")->required();
    app.add_option("--top", top, "classes to give for each picture [5]")
        ->check(CLI::Range(1, 1000000));
    app.add_option("--json", json, "file to write the results to; -: print them instead of a table")
        ->type_name("FILE");
  }

  ConfigFlags config;
  std::string path;
  std::vector<std::string> files;
  std::int64_t top = 5;
  std::string json;
};

/// Pictures that wait to go through the network together.
class Batch {
 public:
  Batch(const Backbone& backbone, const CheckpointInfo& info, torch::Device device,
        std::int64_t top)
      : backbone_(backbone), info_(info), device_(device), top_(top) {}

  std::size_t size() const { return inputs_.size(); }

  void add(const torch::Tensor& input, PredictedFile& file) {
    inputs_.push_back(input);
    files_.push_back(&file);
  }

  void run() {
    if (inputs_.empty()) return;
    const torch::NoGradGuard no_grad;
    const torch::Tensor logits = backbone_.forward(torch::stack(inputs_).to(device_));
    const auto guesses = likeliest(logits, info_.class_names, top_);
    for (std::size_t i = 0; i < files_.size(); ++i) files_[i]->guesses = guesses[i];
    inputs_.clear();
    files_.clear();
  }

 private:
  const Backbone& backbone_;
  const CheckpointInfo& info_;
  torch::Device device_;
  std::int64_t top_;
  std::vector<torch::Tensor> inputs_;
  std::vector<PredictedFile*> files_;
};

int run(const PredictFlags& flags) {
  const Checkpoint checkpoint = read_checkpoint(reported_checkpoint(flags.path));
  Config config;
  config.apply_text(checkpoint.info.config, checkpoint.path.string());
  flags.config.apply(config);
  prepare(config);
  const auto& settings = config.get<RunOptions>();
  const torch::Device device = parse_device(settings.device);
  const Backbone backbone = read_backbone(checkpoint, config);
  backbone.to(device);

  std::vector<PredictedFile> files(flags.files.size());
  Batch batch(backbone, checkpoint.info, device, flags.top);
  bool all_read = true;
  for (std::size_t i = 0; i < files.size(); ++i) {
    files[i].file = flags.files[i];
    try {
      batch.add(read_network_input(files[i].file, checkpoint.info), files[i]);
    } catch (const DamagedPicture& error) {
      files[i].error = error.what();
      std::fprintf(stderr, "mlaan: %s\n", printable(error.what()).c_str());
      all_read = false;
    }
    if (static_cast<std::int64_t>(batch.size()) == settings.batch_size) batch.run();
  }
  batch.run();

  const std::string json = prediction_json(checkpoint.info, files);
  if (!flags.json.empty() && flags.json != "-") write_text(flags.json, json);
  std::printf("%s", flags.json == "-" ? json.c_str() : prediction_table(files).c_str());
  return all_read ? 0 : 2;
}

}  // namespace

Command predict_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("predict", "tell what picture files show");
  const auto flags = std::make_shared<PredictFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
