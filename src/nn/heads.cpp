// Heads: small auxiliary nets that end in logits.
#include <mlaan/core/error.h>
#include <mlaan/core/term.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/tokens.h>

#include <torch/nn/modules/linear.h>

#include <cmath>
#include <cstdio>
#include <optional>

namespace mlaan {
namespace {

/// Maps of at least this height are halved by a head's first convolution.
constexpr std::int64_t smallest_halved_side = 9;

/// The digits of an XcYf head such as "1c2f".
struct LayerCounts {
  int convolutions = 0;
  int linears = 0;
};

/// \return nothing if the type does not have that form.
std::optional<LayerCounts> parse_layer_counts(const std::string& type) {
  LayerCounts counts;
  int read = 0;
  const int fields =
      std::sscanf(type.c_str(), "%1dc%1df%n", &counts.convolutions, &counts.linears, &read);
  const bool fits = fields == 2 && static_cast<std::size_t>(read) == type.size() &&
                    counts.convolutions >= 0 && counts.linears >= 1;
  return fits ? std::make_optional(counts) : std::nullopt;
}

std::string conv(const std::string& kernel, std::int64_t channels, std::int64_t stride = 1) {
  Term layer{"conv", {kernel, std::to_string(channels)}, {}};
  if (stride > 1) layer.words.insert(layer.words.end(), {"stride", std::to_string(stride)});
  return to_text(layer);
}

std::string text(const std::string& kind, std::int64_t width) {
  return to_text({kind, {std::to_string(width)}, {}});
}

/// X convolutions, then Y linear layers.
LayerTexts layered_head(const HeadOptions& options, const Shape& features) {
  auto [convolutions, linears] = parse_layer_counts(options.type).value();
  const auto widened = [&options](std::int64_t width) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(width) * options.widen));
  };
  const bool is_map = features.size() == 3;
  LayerTexts layers;
  if (is_tokens(features)) {
    layers.assign(static_cast<std::size_t>(convolutions), "transformer");
    layers.push_back(options.token + "_token");
    convolutions = 0;
  }
  std::int64_t width = features.at(0);
  for (int i = 0; i < convolutions; ++i) {
    const bool halves = i == 0 && is_map && features[1] >= smallest_halved_side;
    if (i == 0) width = widened(halves ? 2 * width : width);
    layers.push_back(is_map ? conv("3x3", width, halves ? 2 : 1) : text("dense", width));
  }
  for (int i = 1; i < linears; ++i) layers.push_back(text("hidden", widened(options.feature_dim)));
  return layers;
}

/// The heads of decoupled greedy learning: pooling, if `spatially_reduced` three 1×1 convolutions,
/// then three linear layers with batch normalisation.
LayerTexts dense_head(bool spatially_reduced, const Shape& features) {
  constexpr int layers_of_each_kind = 3;
  const bool is_map = features.size() == 3;
  LayerTexts layers;
  std::int64_t width = features.at(0);
  if (is_map) {
    layers.push_back("adaptive_pool " + size_text((features[1] + 3) / 4, (features[2] + 3) / 4));
    for (int i = 0; spatially_reduced && i < layers_of_each_kind; ++i) {
      layers.push_back(conv("1x1", width));
    }
    layers.insert(layers.end(), {"adaptive_pool 2x2", "flatten"});
    width *= 4;
  }
  for (int i = 0; i < layers_of_each_kind; ++i) layers.push_back(text("dense", width));
  return layers;
}

LayerTexts convolutional_head(const HeadOptions& /*options*/, const Shape& features) {
  const std::int64_t width = features.at(0);
  if (features.size() != 3) return {text("dense", width), text("dense", width), "batch_norm"};
  return {conv("3x3", width), conv("3x3", width), "adaptive_pool 2x2", "batch_norm", "flatten"};
}

LayerTexts mlp_head(const HeadOptions& /*options*/, const Shape& features) {
  return dense_head(/*spatially_reduced=*/false, features);
}

LayerTexts mlp_sr_head(const HeadOptions& /*options*/, const Shape& features) {
  return dense_head(/*spatially_reduced=*/true, features);
}

LayerTexts linear_head(const HeadOptions& options, const Shape& features) {
  if (!is_tokens(features)) return {};
  return {options.token + "_token"};
}

/// A kind of head. `layers` makes all layers but the last, which gives the head's outputs.
struct HeadKind {
  const char* name;
  bool reads_maps;  ///< tokens are rearranged as a map first
  LayerTexts (*layers)(const HeadOptions& options, const Shape& features);
};

constexpr HeadKind named_heads[] = {{"linear", false, linear_head},
                                    {"mlp", true, mlp_head},
                                    {"mlp-sr", true, mlp_sr_head},
                                    {"cnn", true, convolutional_head}};
constexpr HeadKind counted_head{"XcYf", false, layered_head};

/// \return null for a type that no head has.
const HeadKind* find_head(const std::string& type) {
  for (const auto& kind : named_heads) {
    if (kind.name == type) return &kind;
  }
  return parse_layer_counts(type) ? &counted_head : nullptr;
}

}  // namespace

torch::Tensor GlobalAveragePoolImpl::forward(const torch::Tensor& input) {
  if (input.dim() <= 2) return input;
  std::vector<std::int64_t> dimensions;
  std::int64_t positions = 1;
  for (std::int64_t i = 2; i < input.dim(); ++i) {
    dimensions.push_back(i);
    positions *= input.size(i);
  }
  // Not mean(): the gradient of a sum is a broadcast, that of a mean a materialised map.
  return input.sum(dimensions) / positions;
}

Unit pooled_linear(const std::string& name, std::int64_t features, std::int64_t classes) {
  return {name, std::vector<Unit::Layer>{
                    {"", torch::nn::AnyModule(GlobalAveragePool())},
                    {name, torch::nn::AnyModule(torch::nn::Linear(features, classes))}}};
}

bool is_head_type(const std::string& type) {
  return find_head(type) != nullptr;
}

LayerTexts head_layers(const HeadOptions& options, const Shape& features, std::int64_t outputs,
                       const Shape& map) {
  if (features.empty() || features.size() > 3) {
    throw UserError(
        "a head reads maps (C×h×w), tokens (tokens×width) or features (F); it was given " +
        to_string(features));
  }
  const HeadKind* kind = find_head(options.type);
  if (kind == nullptr) {
    throw UserError("unknown head '" + options.type + "'; known: " + known_heads());
  }
  LayerTexts layers;
  if (kind->reads_maps && is_tokens(features)) {
    layers = kind->layers(options, map);
    layers.insert(layers.begin(), "map");
  } else {
    layers = kind->layers(options, features);
  }
  layers.push_back(text("linear", outputs));
  return layers;
}

std::string known_heads() {
  return "linear, mlp, mlp-sr, cnn, and XcYf with one digit each, for example 1c2f";
}

}  // namespace mlaan
