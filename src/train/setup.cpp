// Makes the objects of a run from its settings: network, plan, engine options, loaders.
#include "core/libtorch_error.h"

#include <mlaan/core/quantity.h>
#include <mlaan/local/automatic_recompute.h>
#include <mlaan/local/method.h>
#include <mlaan/local/partition_kind.h>
#include <mlaan/local/recompute.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/nn/layers/drop_path.h>
#include <mlaan/train/options.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/pretrained_weights.h>
#include <mlaan/train/setup.h>

#include <ATen/Context.h>
#include <c10/util/Exception.h>
#include <torch/cuda.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <numeric>
#include <sstream>

namespace mlaan {
namespace {

std::uint64_t seed_of(const Settings& settings) {
  return static_cast<std::uint64_t>(settings.get<RunOptions>().seed);
}

CropRecipe crop_recipe(const Settings& settings, const DataSource& data) {
  const auto& augment = settings.get<AugmentOptions>();
  if (!augment.enabled) return {};
  CropRecipe crop = data.crop;
  if (augment.crop != "default") crop.resized = augment.crop == "resized";
  if (augment.padding >= 0) crop.padding = augment.padding;
  if (crop.resized || augment.crop == "none") crop.padding = 0;
  if (augment.flip != "default") crop.flip = augment.flip == "on";
  return crop;
}

PixelRecipe pixel_recipe(const Settings& settings, const DataSource& data) {
  const auto& augment = settings.get<AugmentOptions>();
  if (!augment.enabled) return {};
  PixelRecipe recipe;
  recipe.jitter = {augment.brightness, augment.contrast, augment.saturation, augment.hue};
  recipe.random_augment = {augment.random_augment, augment.magnitude};
  recipe.erasing.probability = augment.erase;
  recipe.erasing.erasure = augment.erase_with == "noise" ? Erasure::noise : Erasure::zero;
  const std::int64_t channels = data.image_shape.at(0);
  const bool changes_colours = recipe.jitter.is_on() || recipe.random_augment.operations > 0;
  if (changes_colours && channels != 1 && channels != 3) {
    throw UserError("colour jitter and augment.random_augment take pictures of 1 or 3 channels; " +
                    data.name + " has " + std::to_string(channels));
  }
  return recipe;
}

MixRecipe mix_recipe(const Settings& settings) {
  const auto& augment = settings.get<AugmentOptions>();
  if (!augment.enabled) return {};
  return {augment.mixup, augment.cutmix, augment.mix_probability, augment.mix_switch_probability,
          augment.mix_off_epoch};
}

/// \param mixing names the settings that mix labels, for the error message.
void check_takes_probabilities_of(const Plan& plan, const std::string& mixing) {
  try {
    check_takes_probabilities(plan);
  } catch (const UserError& error) {
    throw UserError(mixing + " cannot be combined with this plan: " + error.what());
  }
}

/// Adapts a method's plan to the labels that the run trains with, such as class probabilities.
void adapt_to_labels(Plan& plan, const Settings& settings) {
  if (settings.get<TeacherOptions>().share > 0) {
    check_takes_probabilities_of(plan, "a teacher's probabilities (teacher.share above 0)");
  }
  const auto& augment = settings.get<AugmentOptions>();
  if (!augment.enabled) return;
  smooth_labels(plan, augment.label_smoothing);
  if (!mix_recipe(settings).is_on()) return;
  check_takes_probabilities_of(plan, "augment.mixup and augment.cutmix");
}

Transform train_transform(const Settings& settings, const DataSource& data) {
  const CropRecipe crop = crop_recipe(settings, data);
  Framing framing = data.framing;
  if (crop.resized) {
    const auto& augment = settings.get<AugmentOptions>();
    framing.kind = Framing::Kind::random;
    framing.height = data.image_shape.at(1);
    framing.width = data.image_shape.at(2);
    framing.range = {augment.smallest_area, 1, augment.widest_ratio};
  }
  return {data.normalisation, crop, framing, pixel_recipe(settings, data)};
}

LoaderOptions loader_options(const Settings& settings, const DataSource& data,
                             SkipReport on_skipped) {
  const auto& run = settings.get<RunOptions>();
  LoaderOptions options;
  options.batch_size = run.batch_size;
  options.workers = run.workers;
  options.memory_format = memory_format(settings);
  options.seed = seed_of(settings);
  options.skip_damaged = data.skip_damaged;
  options.on_skipped = std::move(on_skipped);
  return options;
}

OptimizerFactory optimizer_factory(const Settings& settings) {
  const auto& options = settings.get<OptimizerOptions>();
  const double lr = settings.get<RunOptions>().lr;
  const auto decay = [&](double usual) {
    return options.weight_decay < 0 ? usual : options.weight_decay;
  };
  const MomentFormat format =
      options.state == "8bit" ? MomentFormat::eight_bit : MomentFormat::float32;
  const auto moments = [&](double usual_decay) {
    return AdamOptions{lr,
                       options.beta1,
                       options.beta2,
                       options.epsilon,
                       decay(usual_decay),
                       options.decay_norms,
                       format};
  };
  if (options.type == "adam") return adam(moments(0));
  if (options.type == "adamw") return adamw(moments(0.05));
  if (options.type == "lamb") return lamb(moments(0.01));
  return sgd({lr, options.momentum, decay(1e-4), options.nesterov, options.decay_norms, format});
}

/// The partition cut after the units named in a text, separated by commas or blanks.
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
    throw UserError(
        "partition = \"" + run.partition + "\": " + error.what() +
        "; expected default, published, uniform, bytes, multiply-adds, or the last units of the "
        "modules, for example layer1.2,layer2.1");
  }
}

}  // namespace

torch::Device parse_device(const std::string& text) {
  const auto refuse = [&](const std::string& why) {
    throw UserError("device '" + text + "' cannot be used: " + why +
                    "; known: cpu, and cuda or cuda:N where LibTorch was built for it");
  };
  torch::Device device = torch::kCPU;
  try {
    device = torch::Device(text);
  } catch (const c10::Error&) {
    refuse("there is no such device");
  }
  if (device.is_cpu()) return device;
  if (!device.is_cuda()) refuse("mlaan does not train on it");
  if (!at::hasCUDA()) refuse("this LibTorch was built for the CPU only");
  const auto count = static_cast<std::int64_t>(torch::cuda::device_count());
  if (device.has_index() ? device.index() >= count : count == 0) {
    refuse("this machine has " + std::to_string(count) + " CUDA devices that LibTorch can use");
  }
  try {
    torch::empty({1}, torch::TensorOptions(device));
  } catch (const c10::Error& error) {
    refuse(first_line(error.what_without_backtrace()));
  }
  return device;
}

DataSource make_data(const Settings& settings) {
  const auto& run = settings.get<RunOptions>();
  return load_dataset(run.dataset, run.data, settings.options());
}

Backbone make_backbone(const Settings& settings, std::int64_t classes, const Shape& image_shape) {
  const auto& run = settings.get<RunOptions>();
  Backbone backbone = make_backbone(run.model, classes, image_shape, seed_of(settings));
  if (run.drop_path >= 0) set_drop_path(backbone, run.drop_path);
  return backbone;
}

Backbone make_backbone(const Settings& settings, const DataSource& data) {
  Backbone backbone =
      make_backbone(settings, static_cast<std::int64_t>(data.classes.size()), data.image_shape);
  backbone.set_normalisation(data.normalisation);
  const auto& run = settings.get<RunOptions>();
  if (!run.weights.empty()) {
    load_pretrained(run.weights, backbone,
                    run.weights_head == "fresh" ? PretrainedHead::fresh : PretrainedHead::load,
                    data.classes);
  }
  return backbone;
}

MethodEntry method_named(const std::string& name) {
  return is_plan_file(name) ? plan_file_method(name) : find_method(name);
}

Partition make_partition(const Settings& settings, const Backbone& backbone,
                         const MethodEntry& method) {
  const auto& run = settings.get<RunOptions>();
  if (run.partition == "default" && method.partition) {
    return method.partition(backbone, static_cast<std::size_t>(run.modules), settings.options());
  }
  const auto known =
      partition_of_kind(run.partition, backbone, static_cast<std::size_t>(run.modules));
  return known ? *known : partition_by_hand(run, backbone);
}

Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method) {
  if (method.phases && !method.plan) {
    throw UserError(method.name + " has phases, each with its own plan, and no single plan");
  }
  Plan plan = method.plan(backbone, make_partition(settings, backbone, method), settings.options(),
                          seed_of(settings));
  scale_net_learning_rates(plan, backbone, settings.get<OptimizerOptions>().net_lr);
  adapt_to_labels(plan, settings);
  return plan;
}

Plan make_bare_plan(const Settings& settings, const Backbone& backbone, const std::string& method) {
  return make_bare_plan(settings, backbone, method_named(method));
}

Plan make_plan(const Settings& settings, const Backbone& backbone, const MethodEntry& method) {
  Plan plan = make_bare_plan(settings, backbone, method);
  const auto& execution = settings.get<ExecutionOptions>();
  if (execution.recompute != "auto") {
    set_recompute(plan, execution.recompute == "default" ? default_recompute(plan)
                                                         : parse_recompute(execution.recompute));
    return plan;
  }
  Trial trial = make_trial(settings, backbone, method);
  reduce_peak(trial, settings.get<RunOptions>().batch_size, memory_limit(settings),
              execution.micro_batches);
  plan.recompute = trial.plan().recompute;
  plan.recompute_nets = trial.plan().recompute_nets;
  return plan;
}

Plan make_plan(const Settings& settings, const Backbone& backbone, const std::string& method) {
  return make_plan(settings, backbone, method_named(method));
}

Trial make_trial(const Settings& settings, const Backbone& backbone, const MethodEntry& method) {
  Backbone scratch = make_backbone(settings, backbone.classes(), backbone.input_shape(0));
  scratch.set_normalisation(backbone.normalisation());
  Plan plan = make_bare_plan(settings, scratch, method);
  return Trial(std::move(scratch), std::move(plan), make_engine_options(settings));
}

std::int64_t memory_limit(const Settings& settings) {
  const auto& text = settings.get<RunOptions>().memory;
  return text.empty() ? 0 : parse_bytes(text);
}

torch::MemoryFormat memory_format(const Settings& settings) {
  return settings.get<ExecutionOptions>().memory_format == "contiguous"
             ? torch::MemoryFormat::Contiguous
             : torch::MemoryFormat::ChannelsLast;
}

EngineOptions make_engine_options(const Settings& settings) {
  EngineOptions options;
  options.optimizer = optimizer_factory(settings);
  options.fused_update = settings.get<ExecutionOptions>().fused_update;
  options.micro_batches = settings.get<ExecutionOptions>().micro_batches;
  options.device = parse_device(settings.get<RunOptions>().device);
  options.memory_format = memory_format(settings);
  options.seed = seed_of(settings);
  options.precision = parse_precision(settings.get<ExecutionOptions>().precision);
  options.boundaries = parse_precision(settings.get<ExecutionOptions>().boundaries);
  options.reference_kernels = settings.get<ExecutionOptions>().kernels == "reference";
  options.clip_grad = settings.get<OptimizerOptions>().clip_grad;
  options.layer_decay = settings.get<OptimizerOptions>().layer_decay;
  options.twin_delay = settings.get<DistOptions>().twin_delay;
  check_precision(options.precision, options.device);
  return options;
}

std::unique_ptr<Loader> make_train_loader(const Settings& settings, const DataSource& data,
                                          std::vector<std::int64_t> indices, SkipReport on_skipped,
                                          const BatchShare& share, bool reads_pictures) {
  LoaderOptions options = loader_options(settings, data, std::move(on_skipped));
  options.share = share;
  options.shuffle = true;
  options.drop_last = true;
  options.mix = mix_recipe(settings);
  options.classes = static_cast<std::int64_t>(data.classes.size());
  // Damaged pictures are found only by reading them.
  const bool needs_pictures = reads_pictures || options.skip_damaged || options.mix.is_on();
  if (!needs_pictures) options.unread_shape = data.image_shape;
  return std::make_unique<Loader>(data.train, std::move(indices), train_transform(settings, data),
                                  options);
}

std::unique_ptr<Loader> make_plain_loader(const Settings& settings, const DataSource& data,
                                          const std::shared_ptr<const Dataset>& dataset,
                                          std::vector<std::int64_t> indices,
                                          SkipReport on_skipped) {
  return std::make_unique<Loader>(dataset, std::move(indices),
                                  Transform(data.normalisation, CropRecipe{}, data.framing),
                                  loader_options(settings, data, std::move(on_skipped)));
}

std::vector<std::int64_t> all_indices(const Dataset& dataset) {
  std::vector<std::int64_t> indices(static_cast<std::size_t>(dataset.size()));
  std::iota(indices.begin(), indices.end(), std::int64_t{0});
  return indices;
}

}  // namespace mlaan
