// mlaan predict: predicts the classes of picture files.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "core/byte_text.h"
#include "data/picture_files.h"

#include <mlaan/data/picture.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/prediction_report.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/options.h>
#include <mlaan/train/predict.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

namespace mlaan::cli {
namespace {

struct PredictFlags {
  explicit PredictFlags(CLI::App& app)
      : config(app, {"model", "batch_size", "device", "threads", "validation.tta"},
               /*flags_of_methods=*/false) {
    app.add_option("checkpoint", path,
                   "a checkpoint, the folder of a run, or what `mlaan export` wrote")
        ->required()
        ->type_name("PATH");
    app.add_option("pictures", files, "JPEG, PNG or WebP files, or folders of them")
        ->required()
        ->type_name("PATH");
    app.add_option("--top", top, "classes to print for each picture [5]")
        ->check(CLI::Range(1, 1000000))
        ->type_name("N")
        ->group(group::results);
    app.add_option("--json", json, "file to write the results to; -: print them instead of a table")
        ->type_name("FILE")
        ->group(group::results);
  }

  ConfigFlags config;
  std::string path;
  std::vector<std::string> files;
  std::int64_t top = 5;
  std::string json;
};

/// The network that makes the predictions.
struct AskedNetwork {
  NetworkDescription description;
  Predictor predict;
  std::int64_t batch_size = 0;
};

/// Pictures that are collected to go through the network together.
class Batch {
 public:
  Batch(const AskedNetwork& network, std::int64_t top) : network_(network), top_(top) {}

  std::size_t size() const { return inputs_.size(); }

  void add(const torch::Tensor& input, PredictedFile& file) {
    inputs_.push_back(input);
    files_.push_back(&file);
  }

  void run() {
    if (inputs_.empty()) return;
    const torch::NoGradGuard no_grad;
    const torch::Tensor logits = network_.predict(torch::stack(inputs_));
    const auto guesses = likeliest(logits, network_.description.class_names, top_);
    for (std::size_t i = 0; i < files_.size(); ++i) files_[i]->guesses = guesses[i];
    inputs_.clear();
    files_.clear();
  }

 private:
  const AskedNetwork& network_;
  std::int64_t top_;
  std::vector<torch::Tensor> inputs_;
  std::vector<PredictedFile*> files_;
};

/// The given files and those in the given folders, in order. A folder that is empty or unreadable
/// is listed with its error.
std::vector<PredictedFile> files_of(const std::vector<std::string>& given) {
  std::vector<PredictedFile> files;
  for (const auto& path : given) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      files.push_back({path, {}, ""});
      continue;
    }
    try {
      const auto found = picture_files(path);
      for (const auto& file : found) files.push_back({file.string(), {}, ""});
      if (found.empty()) {
        throw UserError("no pictures (" + picture_extensions_text() + ") in " + path +
                        " and the folders below it");
      }
    } catch (const UserError& unreadable) {
      files.push_back({path, {}, unreadable.what()});
    }
  }
  return files;
}

AskedNetwork read_exported_network(const PredictFlags& flags) {
  const Settings settings = flags.config.settings();
  prepare(settings);
  const auto& run = settings.get<RunOptions>();
  const auto network = read_exported(flags.path, parse_device(run.device),
                                     is_script_file(run.model) ? run.model : "");
  return {network.info,
          at_test_time(Predictor([network](const torch::Tensor& images) {
                         return network.predict(images).back();
                       }),
                       settings.get<ValidationOptions>().tta),
          run.batch_size};
}

AskedNetwork read_trained_network(const PredictFlags& flags) {
  const Checkpoint checkpoint = read_checkpoint(reported_checkpoint(flags.path));
  const Settings settings = flags.config.on_top_of(checkpoint);
  prepare(settings);
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  const Backbone backbone = read_backbone(checkpoint, settings);
  backbone.to(device);
  return {checkpoint.info,
          at_test_time(Predictor([backbone, device](const torch::Tensor& images) {
                         return backbone.forward(images.to(device));
                       }),
                       settings.get<ValidationOptions>().tta),
          settings.get<RunOptions>().batch_size};
}

int run(const PredictFlags& flags) {
  const AskedNetwork network =
      is_exported(flags.path) ? read_exported_network(flags) : read_trained_network(flags);
  std::vector<PredictedFile> files = files_of(flags.files);
  Batch batch(network, flags.top);
  bool all_read = true;
  for (auto& file : files) {
    try {
      if (file.error.empty()) {
        batch.add(read_network_input(file.file, network.description), file);
      }
    } catch (const DamagedPicture& error) {
      file.error = error.what();
    }
    if (!file.error.empty()) {
      std::fprintf(stderr, "mlaan: %s\n", printable(file.error).c_str());
      all_read = false;
    }
    if (static_cast<std::int64_t>(batch.size()) == network.batch_size) batch.run();
  }
  batch.run();

  const std::string json = prediction_json(network.description, files);
  if (!flags.json.empty() && flags.json != "-") write_text(flags.json, json);
  std::printf("%s", flags.json == "-" ? json.c_str() : prediction_table(files).c_str());
  return all_read ? 0 : 2;
}

}  // namespace

Command predict_command(CLI::App& program) {
  CLI::App* app = program.add_subcommand("predict", "classify picture files");
  const auto flags = std::make_shared<PredictFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true};
}

}  // namespace mlaan::cli
