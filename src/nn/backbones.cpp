// The registry of backbones.
#include <mlaan/core/random.h>
#include <mlaan/core/term.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/backbones/convnext.h>
#include <mlaan/nn/backbones/resnet.h>
#include <mlaan/nn/backbones/resnet_cifar.h>
#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/nn/backbones/vgg.h>
#include <mlaan/nn/backbones/vision_transformer.h>

namespace mlaan {
namespace {

BackboneEntry cifar_entry(std::int64_t depth) {
  return {
      "resnet" + std::to_string(depth),
      "CIFAR ResNet of " + std::to_string((depth - 2) / 2) + " residual blocks, 16/32/64 channels",
      [depth](std::int64_t classes, const Shape& input_shape) {
        return resnet_cifar(depth, classes, input_shape);
      }};
}

std::vector<BackboneEntry> all_entries() {
  std::vector<BackboneEntry> entries;
  for (const std::int64_t depth : {8, 14, 20, 32, 44, 56, 110, 1202}) {
    entries.push_back(cifar_entry(depth));
  }
  for (const auto& family :
       {resnet_entries(), vgg_entries(), convnext_entries(), vision_transformer_entries()}) {
    entries.insert(entries.end(), family.begin(), family.end());
  }
  return entries;
}

}  // namespace

const Registry<BackboneEntry>& backbone_registry() {
  static const Registry<BackboneEntry> registry("model", all_entries());
  return registry;
}

Backbone make_backbone(const std::string& name, std::int64_t classes, const Shape& input_shape,
                       std::uint64_t seed) {
  if (is_script_file(name)) {
    Backbone backbone = scripted_backbone(name, input_shape);
    if (backbone.classes() == classes) return backbone;
    throw UserError(name + " gives " + std::to_string(backbone.classes()) +
                    " logits, where there are " + std::to_string(classes) + " classes");
  }
  const Term term = parse_settings(name, "model");
  const BackboneEntry& entry = backbone_registry().at(term.name);
  if (!term.settings.empty() && !entry.make_with) {
    throw UserError("model '" + name + "': " + term.name + " has no settings");
  }
  const DefaultGeneratorGuard guard(torch::kCPU);
  seed_default_generator(torch::kCPU, random_key({seed, random_key("backbone")}));
  return term.settings.empty() ? entry.make(classes, input_shape)
                               : entry.make_with(classes, input_shape, term.settings);
}

}  // namespace mlaan
