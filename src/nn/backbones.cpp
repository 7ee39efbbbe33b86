// The backbones that can be asked for by name.
#include <mlaan/core/random.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/nn/resnet_cifar.h>

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

}  // namespace

const Registry<BackboneEntry>& backbone_registry() {
  static const Registry<BackboneEntry> registry(
      "model", {cifar_entry(8), cifar_entry(14), cifar_entry(20), cifar_entry(32), cifar_entry(44),
                cifar_entry(56), cifar_entry(110), cifar_entry(1202)});
  return registry;
}

Backbone make_backbone(const std::string& name, std::int64_t classes, const Shape& input_shape,
                       std::uint64_t seed) {
  const BackboneEntry& entry = backbone_registry().at(name);
  const DefaultGeneratorGuard guard(torch::kCPU);
  seed_default_generator(torch::kCPU, random_key({seed, random_key("backbone")}));
  return entry.make(classes, input_shape);
}

}  // namespace mlaan
