// The network of a finished run with its early exits, and the error of each exit.
#include "core/undefined_number.h"
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_exits.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/weight_average.h>

namespace mlaan {
namespace {

std::vector<double> errors_of(const MultiExitNetwork& network, Loader& loader,
                              torch::Device device) {
  std::vector<double> errors;
  const auto predict = [&](const torch::Tensor& images) {
    return network.forward(images.to(device));
  };
  for (const auto& score : evaluate_outputs(predict, loader)) errors.push_back(score.error);
  errors.resize(network.exits.size() + 1, undefined_number);  // one score without images
  return errors;
}

std::vector<double> validation_errors(const MultiExitNetwork& network, const Settings& settings,
                                      const DataSource& data, torch::Device device) {
  const Split split = split_of_run(settings, data);
  const auto loader = make_plain_loader(settings, data, data.train, split.validation);
  return errors_of(network, *loader, device);
}

std::vector<double> test_errors(const MultiExitNetwork& network, const Settings& settings,
                                const DataSource& data, torch::Device device) {
  const auto loader = make_plain_loader(settings, data, data.test, all_indices(*data.test));
  return errors_of(network, *loader, device);
}

}  // namespace

MultiExitNetwork read_network(const Checkpoint& checkpoint, const Settings& settings,
                              ExportInfo& info) {
  static_cast<NetworkDescription&>(info) = checkpoint.info;
  const auto& run = settings.get<RunOptions>();
  info.method = run.method;
  info.dataset = run.dataset;
  info.dataset_settings = dataset_settings(settings);
  info.epochs = checkpoint.info.state.epoch;
  MultiExitNetwork network{read_backbone(checkpoint, settings), Partition({0}), {}};
  network.backbone.set_normalisation(checkpoint.info.normalisation);
  network.partition = Partition::uniform(network.backbone, 1);
  const auto& state = checkpoint.info.state;
  const double error = settings.get<WeightAverageOptions>().use ? state.average_validation_error
                                                                : state.validation_error;
  info.exits = {{"logits", "head", 1, error < 0 ? undefined_number : error, undefined_number}};
  return network;
}

MultiExitNetwork read_network_with_exits(const Checkpoint& checkpoint, const Settings& settings,
                                         const DataSource& data, ExportInfo& info) {
  check_data(checkpoint, data);
  MultiExitNetwork network = read_network(checkpoint, settings, info);
  const auto& run = settings.get<RunOptions>();
  TrainingPhase phase = phase_of(checkpoint, settings);
  const Plan plan = make_bare_plan(phase.settings, network.backbone, phase.method);
  network.partition = plan.partition;
  network.exits = early_exits(plan, network.backbone);
  if (network.exits.empty()) {
    throw UserError(checkpoint.path.string() + " has no early exits: no auxiliary net of " +
                    run.method + " classifies");
  }
  load_tensors(checkpoint.file.tensors, checkpoint.path, network);
  if (settings.get<WeightAverageOptions>().use) {
    load(checkpoint, network.backbone, weight_average_prefix);  // nets have no average
  }
  const torch::Device device = parse_device(run.device);
  network.train(false);
  network.to(device);
  auto errors = validation_errors(network, settings, data, device);
  const double head_error = errors.back();
  std::vector<EarlyExit> kept;
  std::vector<double> kept_errors;
  for (const auto i : best_exits(network.exits, errors)) {
    kept.push_back(network.exits[i]);
    kept_errors.push_back(errors[i]);
  }
  kept_errors.push_back(head_error);
  network.exits = std::move(kept);
  const auto on_test = test_errors(network, settings, data, device);
  const auto names = network.output_names();
  info.exits.clear();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const bool is_head = i == network.exits.size();
    const auto module = is_head ? plan.partition.size() : network.exits[i].module + 1;
    info.exits.push_back({names[i], is_head ? head_name : network.exits[i].net->name(),
                          static_cast<std::int64_t>(module), kept_errors[i], on_test[i]});
  }
  info.plan = plan_text(describe(plan_of_exits(network, plan), network.backbone), network.backbone);
  return network;
}

}  // namespace mlaan
