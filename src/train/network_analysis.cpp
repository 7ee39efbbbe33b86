// Analysis of a trained network: linear probes, similarity of features, cost of auxiliary nets.
#include "core/undefined_number.h"
#include "train/own_plan.h"
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/network_analysis.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>

#include <algorithm>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

/// The probes' features of a list of images after every module, and the error of the network's own
/// head on these images.
struct ImageFeatures {
  std::vector<torch::Tensor> of_modules;  ///< for each module, images × features
  torch::Tensor labels;
  double head_error = undefined_number;
};

ImageFeatures read_features(const Backbone& backbone, const Partition& partition, Loader& loader,
                            torch::Device device, std::int64_t side) {
  const torch::NoGradGuard no_grad;
  std::vector<std::vector<torch::Tensor>> parts(partition.size());
  std::vector<torch::Tensor> labels;
  std::int64_t errors = 0;
  loader.start(0);
  while (auto batch = loader.next()) {
    labels.push_back(batch->labels.to(device));
    torch::Tensor value = batch->images.to(device);
    for (std::size_t j = 0; j < partition.size(); ++j) {
      for (std::size_t unit = partition.first_unit(j); unit <= partition.last_unit(j); ++unit) {
        value = backbone.units()[unit].forward(std::move(value));
      }
      parts[j].push_back(pooled_features(value, side));
    }
    const auto logits = backbone.head()->forward(std::move(value));
    errors += logits.argmax(1).ne(labels.back()).sum().item<std::int64_t>();
  }
  ImageFeatures features;
  if (labels.empty()) return features;
  features.labels = torch::cat(labels);
  features.head_error =
      100 * static_cast<double>(errors) / static_cast<double>(features.labels.size(0));
  for (auto& part : parts) {
    features.of_modules.push_back(torch::cat(part));
    part.clear();
  }
  return features;
}

double error_of(const LinearProbe& probe, const ImageFeatures& features, std::size_t module) {
  if (!features.labels.defined()) return undefined_number;
  return probe_error(probe, features.of_modules[module], features.labels);
}

void add(ForwardCost& sum, const ForwardCost& cost) {
  sum.parameters += cost.parameters;
  sum.multiply_adds += cost.multiply_adds;
  sum.activation_bytes += cost.activation_bytes;
}

/// Describes the modules and the costs of their nets; the probes are added later.
void describe_modules(NetworkAnalysis& analysis, const Backbone& backbone, const Plan& plan) {
  const CostReport report = cost_report(backbone, plan);
  for (std::size_t j = 0; j < report.modules.size(); ++j) {
    ModuleAnalysis module;
    module.last_unit = report.modules[j].units.back();
    module.output_shape = report.modules[j].output_shape;
    add(analysis.backbone, report.modules[j].cost);
    analysis.modules.push_back(std::move(module));
  }
  add(analysis.backbone, report.head);
  for (const auto& net : report.nets) {
    if (net.name == "head") continue;
    add(analysis.modules[net.module].nets, net.cost);
    add(analysis.nets, net.cost);
  }
}

void check_same_kind(const Checkpoint& checkpoint, const Settings& settings,
                     const Checkpoint& other, const Settings& other_settings) {
  const auto expect_same = [&](const std::string& what, const std::string& first,
                               const std::string& second) {
    if (first == second) return;
    throw UserError(checkpoint.path.string() + " has the " + what + " " + first + ", " +
                    other.path.string() + " " + second +
                    "; networks can be compared where both are the same");
  };
  expect_same("backbone", checkpoint.info.model, other.info.model);
  expect_same("data set", settings.get<RunOptions>().dataset,
              other_settings.get<RunOptions>().dataset);
  expect_same("image shape", to_string(checkpoint.info.image_shape),
              to_string(other.info.image_shape));
  expect_same("number of classes", std::to_string(checkpoint.info.classes),
              std::to_string(other.info.classes));
}

/// The first images of the test set, as inputs of the network.
torch::Tensor test_images(const Settings& settings, const DataSource& data, std::int64_t count) {
  auto indices = all_indices(*data.test);
  indices.resize(static_cast<std::size_t>(std::min(count, data.test->size())));
  const auto loader = make_plain_loader(settings, data, data.test, indices);
  std::vector<torch::Tensor> batches;
  loader->start(0);
  while (auto batch = loader->next()) batches.push_back(batch->images);
  return torch::cat(batches);
}

/// The split of the run's images, with no more training images than the probes need.
Split split_of_probes(const Checkpoint& checkpoint, const Settings& settings,
                      const DataSource& data, const AnalysisOptions& options) {
  Split split = split_of_run(settings, data);
  if (split.validation.empty() && !options.test) {
    throw UserError("validation.fraction = 0 held out no image of the run " +
                    checkpoint.path.string() + "; give --test to measure on the test images");
  }
  if (options.probe_images > 0 &&
      options.probe_images < static_cast<std::int64_t>(split.train.size())) {
    split.train.resize(static_cast<std::size_t>(options.probe_images));
  }
  return split;
}

NetworkAnalysis begin_analysis(const Checkpoint& checkpoint, const Settings& settings,
                               const DataSource& data, const Split& split, bool test) {
  NetworkAnalysis analysis;
  analysis.checkpoint = checkpoint.path.string();
  analysis.method = settings.get<RunOptions>().method;
  analysis.model = checkpoint.info.model;
  analysis.dataset = data.name;
  analysis.train_images = static_cast<std::int64_t>(split.train.size());
  analysis.validation_images = static_cast<std::int64_t>(split.validation.size());
  analysis.test_images = test ? data.test->size() : 0;
  return analysis;
}

}  // namespace

NetworkAnalysis analyse_network(const Checkpoint& checkpoint, const Settings& settings,
                                const DataSource& data, const AnalysisOptions& options,
                                const std::function<void(const std::string&)>& progress) {
  check_data(checkpoint, data);
  const Split split = split_of_probes(checkpoint, settings, data, options);
  NetworkAnalysis analysis = begin_analysis(checkpoint, settings, data, split, options.test);
  Backbone backbone = read_backbone(checkpoint, settings);
  backbone.set_normalisation(data.normalisation);
  TrainingPhase phase = phase_of(checkpoint, settings);
  const Plan plan = make_bare_plan(phase.settings, backbone, phase.method);
  describe_modules(analysis, backbone, plan);
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  backbone.to(device);
  backbone.train(false);
  const auto features_of = [&](const std::shared_ptr<const Dataset>& images,
                               std::vector<std::int64_t> indices) {
    const auto loader = make_plain_loader(settings, data, images, std::move(indices));
    return read_features(backbone, plan.partition, *loader, device, options.side);
  };
  progress("features of " + std::to_string(analysis.train_images) + " training images");
  const ImageFeatures train = features_of(data.train, split.train);
  progress("features of " + std::to_string(analysis.validation_images + analysis.test_images) +
           " held-out images");
  const ImageFeatures validation = features_of(data.train, split.validation);
  const ImageFeatures test =
      features_of(data.test, options.test ? all_indices(*data.test) : std::vector<std::int64_t>());
  analysis.head = {train.head_error, validation.head_error, test.head_error};
  for (std::size_t j = 0; j < analysis.modules.size(); ++j) {
    progress("probe of module " + std::to_string(j + 1) + " of " +
             std::to_string(analysis.modules.size()));
    const LinearProbe probe =
        train_probe(train.of_modules[j], train.labels, checkpoint.info.classes, options.probe);
    ModuleAnalysis& module = analysis.modules[j];
    module.features = train.of_modules[j].size(1);
    module.probe = {error_of(probe, train, j), error_of(probe, validation, j),
                    error_of(probe, test, j)};
  }
  return analysis;
}

SimilarityAnalysis analyse_similarity(const Checkpoint& checkpoint, const Settings& settings,
                                      const Checkpoint& other, const Settings& other_settings,
                                      const DataSource& data, const AnalysisOptions& options,
                                      const std::function<void(const std::string&)>& progress) {
  check_same_kind(checkpoint, settings, other, other_settings);
  check_data(checkpoint, data);
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  const torch::Tensor images = test_images(settings, data, options.similarity_images).to(device);
  const std::int64_t batch = settings.get<RunOptions>().batch_size;
  SimilarityAnalysis similarity;
  similarity.against = other.path.string();
  similarity.images = images.size(0);
  similarity.estimator = options.estimator;
  const auto patterns_of = [&](const Checkpoint& of, const Settings& of_run) {
    progress("features of " + std::to_string(similarity.images) + " test images in " +
             of.path.string());
    const Backbone backbone = read_backbone(of, of_run);
    backbone.to(device);
    similarity.units.clear();
    for (const auto& unit : backbone.units()) similarity.units.push_back(unit.description());
    return unit_patterns(backbone, images, batch, options.estimator);
  };
  const auto first = patterns_of(checkpoint, settings);
  const auto second = patterns_of(other, other_settings);
  similarity.matrix = pattern_similarity(first, second);
  return similarity;
}

}  // namespace mlaan
