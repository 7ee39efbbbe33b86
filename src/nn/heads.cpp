// Heads: small auxiliary nets that end in logits.
#include <mlaan/nn/heads.h>
#include <mlaan/nn/tokens.h>

#include <torch/nn/modules/linear.h>

#include <cmath>
#include <cstdio>

namespace mlaan {
namespace {

/// Maps of a side above this are halved by a head's first convolution.
constexpr std::int64_t smallest_halved_side = 9;

/// The X and Y of "XcYf"; false if `type` is not of that form.
bool parse_layers(const std::string& type, int& convolutions, int& linears) {
  int read = 0;
  const int fields = std::sscanf(type.c_str(), "%1dc%1df%n", &convolutions, &linears, &read);
  return fields == 2 && static_cast<std::size_t>(read) == type.size() && convolutions >= 0 &&
         linears >= 1;
}

std::string conv(const std::string& kernel, std::int64_t channels, std::int64_t stride = 1) {
  return "conv " + kernel + " " + std::to_string(channels) +
         (stride > 1 ? " stride " + std::to_string(stride) : "");
}

std::string text(const std::string& kind, std::int64_t width) {
  return kind + " " + std::to_string(width);
}

/// X convolutions, then Y linear layers.
LayerTexts layered_head(int convolutions, int linears, const HeadOptions& options,
                        const Shape& features) {
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

/// The heads of decoupled greedy learning: pooling, three linear layers with batch normalisation,
/// and ahead of them, for `spatially_reduced`, three convolutions of one position each.
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

LayerTexts convolutional_head(const Shape& features) {
  const std::int64_t width = features.at(0);
  if (features.size() != 3) return {text("dense", width), text("dense", width), "batch_norm"};
  return {conv("3x3", width), conv("3x3", width), "adaptive_pool 2x2", "batch_norm", "flatten"};
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
  // Not mean(): the gradient of a sum is a broadcast, that of a mean a whole map of equal numbers.
  return input.sum(dimensions) / positions;
}

Unit pooled_linear(const std::string& name, std::int64_t features, std::int64_t classes) {
  return {name, std::vector<Unit::Layer>{
                    {"", torch::nn::AnyModule(GlobalAveragePool())},
                    {name, torch::nn::AnyModule(torch::nn::Linear(features, classes))}}};
}

bool is_head_type(const std::string& type) {
  int convolutions = 0;
  int linears = 0;
  return type == "linear" || type == "mlp" || type == "mlp-sr" || type == "cnn" ||
         parse_layers(type, convolutions, linears);
}

LayerTexts head_layers(const HeadOptions& options, const Shape& features, std::int64_t outputs,
                       const Shape& map) {
  if (features.empty() || features.size() > 3) {
    throw UserError(
        "a head reads maps (C×h×w), tokens (tokens×width) or features (F); it was given " +
        to_string(features));
  }
  int convolutions = 0;
  int linears = 0;
  LayerTexts layers;
  const bool convolves = options.type == "mlp" || options.type == "mlp-sr" || options.type == "cnn";
  if (convolves && is_tokens(features)) {
    layers = head_layers(options, map, outputs);
    layers.insert(layers.begin(), "map");
    return layers;
  }
  if (options.type == "cnn") {
    layers = convolutional_head(features);
  } else if (convolves) {
    layers = dense_head(options.type == "mlp-sr", features);
  } else if (parse_layers(options.type, convolutions, linears)) {
    layers = layered_head(convolutions, linears, options, features);
  } else if (options.type != "linear") {
    throw UserError("unknown head '" + options.type + "'; known: " + known_heads());
  } else if (is_tokens(features)) {
    layers = {options.token + "_token"};
  }
  layers.push_back(text("linear", outputs));
  return layers;
}

std::string known_heads() {
  return "linear, mlp, mlp-sr, cnn, and XcYf with one digit each, for example 1c2f";
}

}  // namespace mlaan
