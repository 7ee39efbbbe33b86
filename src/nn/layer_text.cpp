// Layers of auxiliary nets as text, as methods and plan files contain them.
#include "core/term_words.h"
#include "nn/layer_kinds/layer_builder.h"

#include <mlaan/core/error.h>
#include <mlaan/core/suggest.h>
#include <mlaan/nn/layer_kind.h>
#include <mlaan/nn/layer_text.h>

#include <algorithm>

namespace mlaan {
namespace {

std::int64_t count_kinds(const LayerTexts& texts, std::initializer_list<const char*> kinds) {
  return std::count_if(texts.begin(), texts.end(), [&](const std::string& text) {
    return std::find(kinds.begin(), kinds.end(), parse_words(text).name) != kinds.end();
  });
}

const LayerKind& kind_of(const TermWords& words) {
  const std::string& name = words.name();
  if (name.empty()) words.fail("it lacks its kind");
  const auto& kinds = layer_kinds();
  for (const auto& kind : kinds.entries()) {
    if (kind.name == name) return kind;
  }
  words.fail(unknown_name(kinds.kind(), name, kinds.names()));
}

LayerBuilder follow_layers(const LayerTexts& texts, const Shape& features, const Backbone& backbone,
                           bool makes) {
  LayerBuilder net(features, backbone, count_kinds(texts, {"hidden", "linear"}) > 1, makes);
  for (const auto& text : texts) {
    TermWords words(text, "layer");
    kind_of(words).add(words, net);
    if (words.has("frozen")) net.freeze_last(words);
    words.finish();
    net.describe_last(text);
  }
  return net;
}

}  // namespace

BuiltLayers build_layers(const LayerTexts& texts, const Shape& features, const Backbone& backbone) {
  return follow_layers(texts, features, backbone, /*makes=*/true).take();
}

std::vector<std::size_t> tied_units(const LayerTexts& texts, const Backbone& backbone) {
  std::vector<std::size_t> units;
  for (const auto& text : texts) {
    TermWords words(text, "layer");
    if (words.name() != "leap") continue;
    const std::string unit = words.next("name of a unit");
    if (words.has("tied")) units.push_back(backbone.unit_index(unit));
  }
  return units;
}

Shape output_shape_of(const LayerTexts& texts, const Shape& features, const Backbone& backbone) {
  return follow_layers(texts, features, backbone, /*makes=*/false).features();
}

std::string size_text(std::int64_t height, std::int64_t width) {
  return std::to_string(height) + "x" + std::to_string(width);
}

}  // namespace mlaan
