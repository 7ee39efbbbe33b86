// From settings to the objects of a run: network, plan, engine options, loaders.
#include <mlaan/core/quantity.h>
#include <mlaan/local/automatic_recompute.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/setup.h>

#include <c10/util/Exception.h>

#include <algorithm>
#include <iterator>
#include <numeric>
#include <sstream>

namespace mlaan {
namespace {

std::uint64_t seed_of(Config& config) {
  return static_cast<std::uint64_t>(config.get<RunOptions>().seed);
}

CropRecipe crop_recipe(Config& config, const DataSource& data) {
  const auto& augment = config.get<AugmentOptions>();
  if (!augment.enabled) return {};
  CropRecipe crop = data.crop;
  if (augment.padding >= 0) crop.padding = augment.padding;
  if (augment.flip != "default") crop.flip = augment.flip == "on";
  return crop;
}

LoaderOptions loader_options(Config& config) {
  const auto& run = config.get<RunOptions>();
  LoaderOptions options;
  options.batch_size = run.batch_size;
  options.workers = run.workers;
  options.memory_format = memory_format(config);
  options.seed = seed_of(config);
  return options;
}

/// Cut after the units that a text names, separated by commas or blanks.
Partition partition_by_hand(const RunOptions& run, const Backbone& backbone) {
  std::string text = run.partition;
  std::replace(text.begin(), text.end(), ',', ' ');
  std::istringstream words(text);
  const std::vector<std::string> units{std::istream_iterator<std::string>(words), {}};
  try {
    Partition partition = Partition::after(backbone, units);
    if (run.modules == 0 || partition.size() == static_cast<std::size_t>(run.modules)) {
      return partition;
    }
    throw UserError("these make " + std::to_string(partition.size()) +
                    " modules, but modules = " + std::to_string(run.modules));
  } catch (const UserError& error) {
    throw UserError("partition = \"" + run.partition + "\": " + error.what() +
                    "; expected published, uniform, bytes, multiply-adds, or the last units of the "
                    "modules, for example layer1.2,layer2.1");
  }
}

}  // namespace

torch::Device parse_device(const std::string& text) {
  try {
    const torch::Device device(text);
    if (device.is_cpu()) return device;
    torch::empty({1}, torch::TensorOptions(device));
    return device;
  } catch (const c10::Error& error) {
    throw UserError("device '" + text + "' cannot be used (" +
                    std::string(error.what_without_backtrace()).substr(0, 120) +
                    "); known: cpu, and cuda or cuda:N where LibTorch was built for it");
  }
}

DataSource make_data(Config& config) {
  const auto& run = config.get<RunOptions>();
  return load_dataset(run.dataset, run.data, config.options());
}

Backbone make_backbone(Config& config, std::int64_t classes, const Shape& image_shape) {
  return make_backbone(config.get<RunOptions>().model, classes, image_shape, seed_of(config));
}

Backbone make_backbone(Config& config, const DataSource& data) {
  Backbone backbone =
      make_backbone(config, static_cast<std::int64_t>(data.classes.size()), data.image_shape);
  backbone.set_normalisation(data.normalisation);
  return backbone;
}

MethodEntry method_named(const std::string& name) {
  return is_plan_file(name) ? plan_file_method(name) : find_method(name);
}

Partition make_partition(Config& config, const Backbone& backbone) {
  const auto& run = config.get<RunOptions>();
  const auto modules =
      run.modules == 0 ? backbone.block_count() : static_cast<std::size_t>(run.modules);
  if (run.partition == "published") return default_partition(backbone, modules);
  if (run.partition == "uniform") return Partition::uniform(backbone, modules);
  if (run.partition == "bytes") {
    return Partition::balanced(unit_activation_bytes(backbone), modules);
  }
  if (run.partition == "multiply-adds") {
    return Partition::balanced(unit_multiply_adds(backbone), modules);
  }
  return partition_by_hand(run, backbone);
}

Plan make_bare_plan(Config& config, const Backbone& backbone, const std::string& method) {
  return method_named(method).plan(backbone, make_partition(config, backbone), config.options(),
                                   seed_of(config));
}

Plan make_plan(Config& config, const Backbone& backbone, const std::string& method) {
  Plan plan = make_bare_plan(config, backbone, method);
  const auto& execution = config.get<ExecutionOptions>();
  if (execution.recompute != "auto") {
    set_recompute(plan, execution.recompute == "default" ? default_recompute(plan, backbone)
                                                         : parse_recompute(execution.recompute));
    return plan;
  }
  Trial trial = make_trial(config, backbone, method);
  const std::int64_t parts = execution.micro_batches;
  const std::int64_t batch = (config.get<RunOptions>().batch_size + parts - 1) / parts;
  reduce_peak(trial, batch, memory_limit(config));
  plan.recompute = trial.plan().recompute;
  plan.recompute_nets = trial.plan().recompute_nets;
  return plan;
}

Trial make_trial(Config& config, const Backbone& backbone, const std::string& method) {
  Backbone scratch = make_backbone(config, backbone.classes(), backbone.input_shape(0));
  scratch.set_normalisation(backbone.normalisation());
  Plan plan = make_bare_plan(config, scratch, method);
  return Trial(std::move(scratch), std::move(plan), make_engine_options(config));
}

std::int64_t memory_limit(Config& config) {
  const auto& text = config.get<RunOptions>().memory;
  return text.empty() ? 0 : parse_bytes(text);
}

torch::MemoryFormat memory_format(Config& config) {
  return config.get<ExecutionOptions>().memory_format == "contiguous"
             ? torch::MemoryFormat::Contiguous
             : torch::MemoryFormat::ChannelsLast;
}

EngineOptions make_engine_options(Config& config) {
  const auto& optimizer = config.get<OptimizerOptions>();
  EngineOptions options;
  options.optimizer = sgd({config.get<RunOptions>().lr, optimizer.momentum, optimizer.weight_decay,
                           optimizer.nesterov});
  options.fused_update = config.get<ExecutionOptions>().fused_update;
  options.micro_batches = config.get<ExecutionOptions>().micro_batches;
  options.device = parse_device(config.get<RunOptions>().device);
  options.memory_format = memory_format(config);
  options.seed = seed_of(config);
  options.precision = parse_precision(config.get<ExecutionOptions>().precision);
  options.boundaries = parse_precision(config.get<ExecutionOptions>().boundaries);
  check_precision(options.precision, options.device);
  return options;
}

std::unique_ptr<Loader> make_train_loader(Config& config, const DataSource& data,
                                          std::vector<std::int64_t> indices) {
  LoaderOptions options = loader_options(config);
  options.shuffle = true;
  options.drop_last = true;
  return std::make_unique<Loader>(data.train, std::move(indices),
                                  Transform(data.normalisation, crop_recipe(config, data)),
                                  options);
}

std::unique_ptr<Loader> make_plain_loader(Config& config, const DataSource& data,
                                          const std::shared_ptr<const Dataset>& dataset,
                                          std::vector<std::int64_t> indices) {
  return std::make_unique<Loader>(dataset, std::move(indices), Transform(data.normalisation),
                                  loader_options(config));
}

std::vector<std::int64_t> all_indices(const Dataset& dataset) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

}  // namespace mlaan
