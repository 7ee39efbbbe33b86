// InfoPro: information propagation (Wang et al. 2021, ICLR, arXiv:2101.10832).
#include "local/methods/head_fields.h"

#include <mlaan/local/methods/infopro.h>
#include <mlaan/nn/layers/tokens.h>

#include <algorithm>
#include <cmath>
#include <iterator>

namespace mlaan {
namespace {

using methods::InfoproWeights;

/// Weights from the paper's command lines: for CIFAR-10 with the contrastive loss, and for
/// ImageNet.
struct PublishedWeights {
  const char* backbone;
  std::size_t modules;
  InfoproWeights weights;
};

constexpr PublishedWeights published_settings[] = {
    {"resnet32", 2, {{5, 5}, {1, 1}}},
    {"resnet32", 4, {{6, 1}, {0, 2}}},
    {"resnet32", 8, {{5, 0}, {0, 2}}},
    {"resnet32", 16, {{5, 0.2}, {0.05, 0.5}}},
    {"resnet110", 2, {{5, 5}, {0.5, 0.5}}},
    {"resnet110", 4, {{1, 0}, {0, 1}}},
    {"resnet110", 8, {{5, 0}, {0, 1}}},
    {"resnet110", 16, {{5, 0.5}, {0, 1}}},
    {"resnet101", 2, {{5, 5}, {0.75, 0.75}}},
    {"resnet152", 2, {{5, 5}, {1, 1}}},
    {"resnext101_32x8d", 2, {{5, 5}, {0.75, 0.75}}},
};

/// The weights of the smallest published K that is at least `modules`, else of the largest.
/// Backbones without published weights get those of resnet32.
InfoproWeights published_weights(const std::string& backbone, std::size_t modules) {
  const bool known = std::any_of(std::begin(published_settings), std::end(published_settings),
                                 [&](const auto& entry) { return backbone == entry.backbone; });
  const std::string row = known ? backbone : "resnet32";
  InfoproWeights weights;
  for (const auto& entry : published_settings) {
    if (row != entry.backbone) continue;
    weights = entry.weights;
    if (entry.modules >= modules) break;
  }
  return weights;
}

/// Images up to this height are decoded in one step.
constexpr std::int64_t largest_small_image = 96;

bool same_size(const Shape& map, const Shape& other) {
  return map[1] == other[1] && map[2] == other[2];
}

/// A 3×3 convolution of the map, upsampled to the size of `to`.
std::string upsampled_conv(const Shape& map, const Shape& to, const std::string& channels) {
  const std::string conv = "conv 3x3 " + channels + " bias";
  return same_size(map, to) ? conv : conv + " upsampled " + size_text(to[1], to[2]);
}

}  // namespace

void InfoproOptions::describe(FieldList& fields) {
  fields.add("loss", loss,
             "task loss: softmax, cross-entropy of a classifier; contrast, supervised contrastive",
             one_of({"softmax", "contrast"}));
  describe_head(fields, head, feature_dim, widen, token);
  fields.add("temperature", temperature, "temperature of the contrastive loss", above(0));
  const std::string published_text = "; -1: as published for the backbone and K";
  const auto weight = Accepts{[](const OptionValue& value) {
                                const auto* real = std::get_if<double>(&value);
                                return real != nullptr && (*real >= 0 || *real == -1);
                              },
                              "at least 0, or -1"};
  fields.add("lambda1_first", lambda1_first,
             "weight of the reconstruction at the first module" + published_text, weight);
  fields.add("lambda1_last", lambda1_last,
             "weight of the reconstruction at the last module but one" + published_text, weight);
  fields.add("lambda2_first", lambda2_first,
             "weight of the task's loss at the first module" + published_text, weight);
  fields.add("lambda2_last", lambda2_last,
             "weight of the task's loss at the last module but one" + published_text, weight);
}

namespace methods {

double WeightSchedule::at(std::size_t module, std::size_t modules) const {
  if (modules <= 2) return first;
  const double progress = static_cast<double>(module) / static_cast<double>(modules - 2);
  return first + (last - first) * progress;
}

InfoproWeights infopro_weights(const Backbone& backbone, std::size_t modules,
                               const InfoproOptions& options) {
  InfoproWeights weights = published_weights(backbone.name(), modules);
  const auto take = [](double& weight, double given) {
    if (given >= 0) weight = given;
  };
  take(weights.reconstruction.first, options.lambda1_first);
  take(weights.reconstruction.last, options.lambda1_last);
  take(weights.task.first, options.lambda2_first);
  take(weights.task.last, options.lambda2_last);
  return weights;
}

LayerTexts decoder_layers(const Shape& features, const Shape& image, double widen) {
  if (features.size() != 3 || image.size() != 3) {
    throw UserError("InfoPro's decoder makes pictures from maps (C×h×w); it was given " +
                    to_string(features) + " and pictures of " + to_string(image));
  }
  const auto widened = [widen](double width) {
    return std::to_string(static_cast<std::int64_t>(std::floor(width * widen)));
  };
  const std::string picture = "filter 3x3 " + std::to_string(image[0]) + " bias";
  if (image[1] <= largest_small_image) {
    return {upsampled_conv(features, image, widened(12)), picture};
  }
  // Larger images, such as those of ImageNet, are decoded in several steps.
  LayerTexts layers{"conv 1x1 " + widened(128) + " bias"};
  Shape map = features;
  for (const double width : {32, 12}) {
    const Shape doubled{map[0], std::min(2 * map[1], image[1]), std::min(2 * map[2], image[2])};
    layers.push_back(upsampled_conv(map, doubled, widened(width)));
    map = doubled;
  }
  if (!same_size(map, image)) layers.push_back("upsample " + size_text(image[1], image[2]));
  layers.push_back(picture);
  return layers;
}

Host infopro_host(const Backbone& backbone, const Partition& partition,
                  const InfoproOptions& options) {
  const std::size_t modules = partition.size();
  const InfoproWeights weights = infopro_weights(backbone, modules, options);
  const bool contrasts = options.loss == "contrast";
  const HeadOptions head{options.head, options.feature_dim, options.widen, options.token};
  const HostNet classifier{
      "classifier",
      [head, contrasts](const NetPlace& place) {
        return head_layers(head, place.features, contrasts ? head.feature_dim : place.classes,
                           place.map);
      },
      contrasts ? "supervised_contrastive " + to_toml(options.temperature) : "cross_entropy",
      [=](std::size_t module) { return weights.task.at(module, modules); }};
  const HostNet decoder{
      "reconstruction",
      [image = backbone.input_shape(0), widen = options.widen](const NetPlace& place) {
        LayerTexts layers = decoder_layers(place.map, image, widen);
        if (is_tokens(place.features)) layers.insert(layers.begin(), "map");
        return layers;
      },
      "reconstruction",
      [=](std::size_t module) { return weights.reconstruction.at(module, modules); }};
  return {{classifier, decoder}, nullptr};
}

Plan infopro(const Backbone& backbone, const Partition& partition, const InfoproOptions& options,
             std::uint64_t seed) {
  return make_plan({partition, infopro_host(backbone, partition, options), {}, {}}, backbone, seed);
}

MethodEntry infopro_entry() {
  return host_entry(
      "infopro", "each module on its own, with a head and a decoder that reconstructs the picture",
      [](OptionSet& options) { options.get<InfoproOptions>(); },
      [](const Backbone& backbone, const Partition& partition, const OptionSet& options) {
        return LocalMethod{
            partition, infopro_host(backbone, partition, options.get<InfoproOptions>()), {}, {}};
      });
}

}  // namespace methods
}  // namespace mlaan
