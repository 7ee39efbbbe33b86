// Losses: what a supervision minimises.
#include "nn/channel_deviation.h"
#include "nn/map_parts.h"
#include "nn/pixel_cross_entropy.h"

#include <mlaan/core/error.h>
#include <mlaan/core/options.h>
#include <mlaan/core/suggest.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/nn/loss.h>

#include <ATen/Functions.h>
#include <torch/nn/functional/loss.h>
#include <torch/nn/functional/normalization.h>

#include <limits>
#include <sstream>

namespace mlaan {
namespace {

constexpr double default_temperature = 0.07;

LossPtr make_loss(std::string name, LossReads reads,
                  std::function<torch::Tensor(const torch::Tensor&, const Targets&)> function,
                  bool needs_classes = false) {
  return std::make_shared<const Loss>(
      Loss{std::move(name), std::move(function), needs_classes, reads});
}

bool are_classes(const torch::Tensor& labels) {
  return labels.scalar_type() == torch::kInt64;
}

/// "supervised_contrastive 0.5", or the bare name where the number is the usual one.
std::string with_number(const std::string& name, double number, double usual) {
  return number == usual ? name : name + " " + to_toml(number);
}

torch::Tensor contrast(const torch::Tensor& output, const torch::Tensor& labels,
                       double temperature) {
  namespace F = torch::nn::functional;
  const auto features = F::normalize(output, F::NormalizeFuncOptions().dim(1));
  const auto itself = torch::eye(features.size(0), labels.options().dtype(torch::kBool));
  const auto logits = features.mm(features.t()) / temperature;
  const auto log_sum =
      logits.masked_fill(itself, -std::numeric_limits<double>::infinity()).logsumexp(1, true);
  const auto positive =
      (labels.unsqueeze(0) == labels.unsqueeze(1)).logical_and(itself.logical_not());
  const auto count = positive.sum(1).clamp_min(1).to(features.dtype());
  const auto sums = (logits - log_sum).masked_fill(positive.logical_not(), 0).sum(1);
  return -(sums / count).mean();
}

/// Tensors that are made once and then kept where the images are.
class ChannelConstants {
 public:
  explicit ChannelConstants(const std::vector<double>& values)
      : values_(torch::tensor(values, torch::kFloat64)) {}

  const torch::Tensor& like(const torch::Tensor& images) {
    if (values_.device() != images.device() || values_.dtype() != images.dtype()) {
      values_ = values_.to(images.device(), images.scalar_type());
    }
    return values_;
  }

 private:
  torch::Tensor values_;
};

/// Of each channel's values a multiple, and a constant added. Where channels lie last in memory
/// whole rows are worked on: one position's few channels at a time take four times as long.
torch::Tensor scaled_and_shifted(const torch::Tensor& images, const torch::Tensor& scales,
                                 const torch::Tensor& shifts) {
  if (!has_channels_last(images)) {
    const auto shaped = [](const torch::Tensor& values) { return values.view({1, -1, 1, 1}); };
    return at::addcmul(shaped(shifts), images, shaped(scales));
  }
  const auto columns = images.size(3);
  const auto rows = images.permute({0, 2, 3, 1}).flatten(2);
  return at::addcmul(shifts.repeat({columns}), rows, scales.repeat({columns}))
      .unflatten(2, {columns, images.size(1)})
      .permute({0, 3, 1, 2});
}

}  // namespace

void check_labels(const torch::Tensor& labels, std::int64_t samples, std::int64_t classes,
                  const std::string& what) {
  const auto refuse = [&](const std::string& problem) {
    throw UserError("labels of " + what + " " + problem + "; expected an int64 tensor of " +
                    std::to_string(samples) + " classes from 0 to " + std::to_string(classes - 1) +
                    ", or a floating one of " + std::to_string(samples) + " × " +
                    std::to_string(classes) + " probabilities");
  };
  if (!are_classes(labels) && !labels.is_floating_point()) {
    refuse("are of the type " + std::string(c10::toString(labels.scalar_type())));
  }
  const bool fits = are_classes(labels) ? labels.dim() == 1 && labels.size(0) == samples
                                        : labels.sizes() == torch::IntArrayRef({samples, classes});
  if (!fits) {
    std::ostringstream sizes;
    sizes << labels.sizes();
    refuse("have the sizes " + sizes.str());
  }
  if (!are_classes(labels) || !labels.is_cpu() || samples == 0) return;
  const auto lowest = labels.min().item<std::int64_t>();
  const auto highest = labels.max().item<std::int64_t>();
  if (lowest < 0 || highest >= classes) {
    refuse("name the class " + std::to_string(lowest < 0 ? lowest : highest));
  }
}

void check_reads(const Loss& loss, const Shape& output, std::int64_t classes, const Shape& image) {
  const auto check = [&](bool fits, const std::string& expected) {
    if (fits) return;
    throw UserError("it gives " + to_string(output) + ", where the loss '" + loss.name +
                    "' is taken of " + expected);
  };
  switch (loss.reads) {
    case LossReads::one_number_a_class:
      check(output == Shape{classes}, std::to_string(classes) + ", one number a class");
      break;
    case LossReads::features:
      check(output.size() == 1, "flat features");
      break;
    case LossReads::images:
      check(output == image, to_string(image) + ", as the images are");
      break;
    case LossReads::anything:
      break;
  }
}

torch::Tensor classes_of(const torch::Tensor& labels) {
  return are_classes(labels) ? labels : labels.argmax(1);
}

LossPtr cross_entropy(double label_smoothing) {
  const auto options =
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(label_smoothing);
  return make_loss(with_number("cross_entropy", label_smoothing, 0), LossReads::one_number_a_class,
                   [options](const torch::Tensor& logits, const Targets& targets) {
                     const auto& labels = targets.labels;
                     return torch::nn::functional::cross_entropy(
                         logits, are_classes(labels) ? labels : labels.to(logits.dtype()), options);
                   });
}

LossPtr with_label_smoothing(const LossPtr& loss, double label_smoothing) {
  const bool takes_some = loss->name == with_number("cross_entropy", 0, 0);
  return takes_some && label_smoothing > 0 ? cross_entropy(label_smoothing) : loss;
}

LossPtr supervised_contrastive(double temperature) {
  return make_loss(
      with_number("supervised_contrastive", temperature, default_temperature), LossReads::features,
      [temperature](const torch::Tensor& features, const Targets& targets) {
        return contrast(features, targets.labels, temperature);
      },
      /*needs_classes=*/true);
}

LossPtr reconstruction(const Normalisation& normalisation) {
  if (normalisation.mean.empty()) {
    throw UserError(
        "the loss 'reconstruction' compares with pixels from 0 to 1, but how the network's "
        "pictures "
        "were normalised is not known; say so by Backbone::set_normalisation(), with means 0 and "
        "deviations 1 if they were not");
  }
  const auto mean = std::make_shared<ChannelConstants>(normalisation.mean);
  const auto deviation = std::make_shared<ChannelConstants>(normalisation.deviation);
  return make_loss("reconstruction", LossReads::images,
                   [mean, deviation](const torch::Tensor& output, const Targets& targets) {
                     const auto& images = targets.images;
                     const auto pixels =
                         scaled_and_shifted(images, deviation->like(images), mean->like(images));
                     return pixel_cross_entropy(output, pixels);
                   });
}

torch::Tensor similarity_matrix(const torch::Tensor& samples) {
  torch::Tensor rows = samples;
  if (rows.dim() == 4 && rows.size(1) > 3 && rows.size(2) > 1) {
    rows = channel_deviation(rows);
  } else if (rows.dim() == 3 && rows.size(1) > 1 && rows.size(2) > 3) {
    rows = rows.std(1);
  } else {
    rows = rows.flatten(1);
  }
  rows = rows - rows.mean(1, /*keepdim=*/true);
  rows = rows / (rows.norm(2, 1, /*keepdim=*/true) + 1e-8);
  return rows.mm(rows.t()).clamp(-1, 1);
}

LossPtr similarity_matching(std::int64_t classes) {
  return make_loss("similarity_matching", LossReads::anything,
                   [classes](const torch::Tensor& output, const Targets& targets) {
                     const auto labels = are_classes(targets.labels)
                                             ? torch::one_hot(targets.labels, classes)
                                             : targets.labels;
                     return torch::mse_loss(similarity_matrix(output),
                                            similarity_matrix(labels.to(output.dtype())));
                   });
}

LossPtr parse_loss(const std::string& text, std::int64_t classes,
                   const Normalisation& normalisation) {
  std::istringstream words(text);
  std::string name;
  words >> name;
  double number = 0;
  const bool has_number = static_cast<bool>(words >> number);
  words.clear();
  std::string rest;
  if (words >> rest) throw UserError("loss '" + text + "' has '" + rest + "' too much");
  const bool takes_number = name == "cross_entropy" || name == "supervised_contrastive";
  if (has_number && !takes_number) {
    throw UserError("loss '" + text + "': " + name + " takes no number");
  }
  if (name == "cross_entropy") {
    if (number < 0 || number > 1) {
      throw UserError("loss '" + text + "': label smoothing must be from 0 to 1");
    }
    return cross_entropy(number);
  }
  if (name == "supervised_contrastive") {
    if (has_number && !(number > 0)) {
      throw UserError("loss '" + text + "': a temperature must be above 0");
    }
    return supervised_contrastive(has_number ? number : default_temperature);
  }
  if (name == "reconstruction") return reconstruction(normalisation);
  if (name == "similarity_matching") return similarity_matching(classes);
  throw UserError(unknown_name(
      "loss", name,
      {"cross_entropy", "supervised_contrastive", "reconstruction", "similarity_matching"}));
}

}  // namespace mlaan
