// mlaan eval: tests the network of a checkpoint, or a network with given weights.
#include "cli/commands.h"
#include "cli/key_flag.h"
#include "cli/rank.h"
#include "cli/run_folder.h"
#include "core/byte_text.h"
#include "train/joint_training.h"
#include "train/new_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/log/summary.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan::cli {
namespace {

namespace fs = std::filesystem;

struct EvalFlags {
  explicit EvalFlags(CLI::App& app)
      : config(app,
               {"dataset", "data", "model", "weights", "batch_size", "device", "workers", "threads",
                "dist.processes", "output", "validation.tta"},
               /*flags_of_methods=*/false) {
    app.add_option("checkpoint", path,
                   "a checkpoint, the folder of a run, or what `mlaan export` wrote; without it, "
                   "--model with --weights")
        ->type_name("PATH");
    app.add_flag("--per-class", per_class, "print the errors of each class, too")
        ->group(group::results);
    app.add_option("--json", json, "file to write the results to, besides OUTPUT/summary.json")
        ->type_name("FILE")
        ->group(group::results);
  }

  ConfigFlags config;
  std::string path;
  std::string json;
  bool per_class = false;
};

/// The network to test: its origin, and its predictor, which includes early exits.
struct TestedNetwork {
  std::string path;
  std::string method;
  std::int64_t epochs = 0;
  std::int64_t parameters = 0;
  std::vector<std::string> outputs;
  MultiPredictor predict;
};

TestedNetwork of_backbone(const Backbone& backbone, torch::Device device) {
  backbone.train(false);
  backbone.to(device);
  TestedNetwork tested;
  tested.parameters = element_count(backbone.named_parameters());
  tested.outputs = {"logits"};
  tested.predict = [backbone, device](const torch::Tensor& images) {
    return std::vector<torch::Tensor>{backbone.forward(images.to(device))};
  };
  return tested;
}

/// The flags resolved to a network and settings, before the data are read.
class Subject {
 public:
  explicit Subject(const EvalFlags& flags) : path_(flags.path) {
    const Settings given = flags.config.settings();
    const auto& run = given.get<RunOptions>();
    check_asked_for(run);
    Config config;
    if (path_.empty()) {
      config.apply("output", "runs/" + run.dataset + "-weights-eval", "default");
    } else if (is_exported(path_)) {
      exported_ = read_exported(path_, parse_device(run.device),
                                is_script_file(run.model) ? run.model : "");
      config.apply_text(dataset_assignments(exported_->info), path_);
      config.apply("output", path_ + "-eval", "default");
    } else {
      checkpoint_ = read_checkpoint(reported_checkpoint(path_));
      config.apply_text(checkpoint_->info.config, checkpoint_->path.string());
      drop_layout(config);
      config.apply("output", (run_folder_of(checkpoint_->path) / "eval").string(), "default");
    }
    flags.config.apply(config);
    if (exported_) config.apply("model", exported_->info.model, path_);
    settings_ = config;
  }

  /// The settings of the tested network with those given now on top. Of several processes each
  /// has its part of the processors, however many threads the training had.
  Settings settings(bool in_ranks) const {
    const bool is_of_training =
        checkpoint_ && settings_.origin("threads") == checkpoint_->path.string();
    if (!in_ranks || !is_of_training) return settings_;
    return settings_.with("threads", "0", "several processes");
  }

  /// The data set with its classes in the network's order.
  DataSource prepared(DataSource data) const {
    if (checkpoint_) return with_classes_of(*checkpoint_, std::move(data));
    if (!exported_) return data;
    Checkpoint stand_in{path_, {}, {}};
    static_cast<NetworkDescription&>(stand_in.info) = exported_->info;
    return with_classes_of(stand_in, std::move(data));
  }

  TestedNetwork network(const DataSource& data, torch::Device device) const {
    const auto& run = settings_.get<RunOptions>();
    if (exported_) {
      TestedNetwork tested{
          path_, exported_->info.method, exported_->info.epochs, exported_->parameters,
          {},    exported_->predict};
      for (const auto& exit : exported_->info.exits) tested.outputs.push_back(exit.output);
      return tested;
    }
    TestedNetwork tested = of_backbone(
        checkpoint_ ? read_backbone(*checkpoint_, settings_) : make_backbone(settings_, data),
        device);
    tested.path = checkpoint_ ? checkpoint_->path.string() : run.weights;
    tested.method = checkpoint_ ? run.method : "";
    tested.epochs = checkpoint_ ? checkpoint_->info.state.epoch : 0;
    return tested;
  }

 private:
  /// Drops the training's number of processes, which says nothing about an evaluation's.
  static void drop_layout(Config& config) {
    const Config defaults;
    for (const auto& field : defaults.options().fields()) {
      const bool is_layout = field.key.rfind("dist.", 0) == 0;
      if (is_layout) config.apply(field.key, to_toml(field.initial), "default");
    }
  }

  void check_asked_for(const RunOptions& run) const {
    if (path_.empty() && run.weights.empty()) {
      throw UserError(
          "eval needs a checkpoint, a run's folder or an exported network, or --model "
          "NAME --weights FILE");
    }
    if (!path_.empty() && !run.weights.empty()) {
      throw UserError("eval takes either a checkpoint or --weights; it was given " + path_ +
                      " and " + run.weights);
    }
  }

  Settings settings_;
  std::string path_;
  std::optional<Checkpoint> checkpoint_;
  std::optional<ExportedNetwork> exported_;
};

void refuse_run_folder(const fs::path& folder) {
  if (!holds_a_run(folder) || !fs::exists(folder / "config.toml")) return;
  throw UserError(folder.string() +
                  " holds a run, whose summary would be overwritten; choose another --output");
}

/// \param scores one for each exit, the network's own last.
EvalSummary summarise(const TestedNetwork& network, const std::vector<Score>& scores,
                      const DataSource& data, const RunOptions& run, std::int64_t peak_bytes) {
  EvalSummary summary;
  summary.score = scores.back();
  for (std::size_t i = 0; i + 1 < scores.size(); ++i) {
    summary.exits.push_back({network.outputs.at(i), scores[i].error});
  }
  summary.checkpoint = network.path;
  summary.method = network.method;
  summary.model = run.model;
  summary.dataset = data.name;
  summary.class_names = data.classes;
  summary.epochs = network.epochs;
  summary.batch = run.batch_size;
  summary.images_per_second = static_cast<double>(summary.score.images) / summary.score.seconds;
  summary.peak_bytes = peak_bytes;
  summary.parameters = network.parameters;
  return summary;
}

/// \throws UserError if the processes have different networks or images.
void check_same_test(const TestedNetwork& network, const DataSource& data, ProcessGroup& group) {
  check_agreement(group, {{"the network", network.path},
                          {"the number of epochs trained", std::to_string(network.epochs)},
                          {"the number of parameters", std::to_string(network.parameters)},
                          {"the test set", fingerprint(*data.test)}});
}

void report(const EvalSummary& summary, const EvalFlags& flags, const fs::path& folder) {
  write_summary(folder / "summary.json", summary);
  if (!flags.json.empty()) write_summary(flags.json, summary);
  std::printf("%s", summary_table(summary).c_str());
  if (!summary.exits.empty()) std::printf("\n%s", exits_table(summary).c_str());
  if (flags.per_class) std::printf("\n%s", class_table(summary).c_str());
}

int run(const EvalFlags& flags, ProcessGroup* group) {
  const Subject subject(flags);
  const Settings settings = settled_in_rank(subject.settings(group != nullptr), group);
  prepare(settings);
  const auto& run = settings.get<RunOptions>();
  const fs::path folder = run.output;
  DataSource data = subject.prepared(make_data(settings));
  std::optional<NewFolder> new_folder;
  if (is_first(group)) {
    refuse_run_folder(folder);
    new_folder.emplace(folder);
    make_writable(folder);
  }

  const torch::Device device = parse_device(run.device);
  const std::int64_t bytes_before = measure::read_memory(device).live;
  const TestedNetwork network = subject.network(data, device);
  if (group != nullptr) check_same_test(network, data, *group);
  const Traffic traffic_before = group == nullptr ? Traffic() : group->traffic();
  const auto loader =
      make_plain_loader(settings, data, data.test, share_of(all_indices(*data.test), group),
                        [](const std::string& what) {
                          std::fprintf(stderr, "mlaan: skipped %s\n", printable(what).c_str());
                        });
  measure::reset_peak(device);
  const auto scores = evaluate_outputs(
      at_test_time(network.predict, settings.get<ValidationOptions>().tta), *loader, {}, {}, group);
  const std::int64_t peak_bytes = measure::read_memory(device).peak - bytes_before;
  EvalSummary summary = summarise(network, scores, data, run, peak_bytes);
  summary.ranks =
      rank_reports(group, traffic_since(group, traffic_before), peak_bytes, /*steps=*/1);
  if (is_first(group)) report(summary, flags, folder);
  return 0;
}

int run(const EvalFlags& flags) {
  const Settings given = flags.config.settings();
  const std::int64_t stages = given.get<DistOptions>().stages;
  if (stages > 1) {
    throw UserError("dist.stages = " + std::to_string(stages) +
                    " is for training (mlaan train, compare, bench); mlaan eval divides the images "
                    "among --processes");
  }
  return run_in_processes(given, [&](ProcessGroup* group) { return run(flags, group); });
}

}  // namespace

Command eval_command(CLI::App& program) {
  CLI::App* app =
      program.add_subcommand("eval", "test the network of a checkpoint, or given weights");
  const auto flags = std::make_shared<EvalFlags>(*app);
  return {app, [flags] { return run(*flags); }, /*computes=*/true, {}, /*in_ranks=*/true};
}

}  // namespace mlaan::cli
