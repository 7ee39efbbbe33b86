// Heads: small auxiliary nets that end in logits.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/layer_text.h>
#include <mlaan/nn/unit.h>

#include <torch/nn/cloneable.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Averages over all positions: (batch, C, …) → (batch, C). Returns (batch, F) unchanged.
class GlobalAveragePoolImpl : public torch::nn::Cloneable<GlobalAveragePoolImpl> {
 public:
  void reset() override {}
  torch::Tensor forward(const torch::Tensor& input);
};
TORCH_MODULE(GlobalAveragePool);

/// Global average pooling and one linear layer, whose parameters are `name`.weight and `name`.bias.
Unit pooled_linear(const std::string& name, std::int64_t features, std::int64_t classes);

/// How a head is built.
struct HeadOptions {
  /// - "linear": pooling and one linear layer.
  /// - "XcYf", for example "1c2f": X convolutions 3×3 with batch normalisation and ReLU, pooling, Y
  ///   linear layers with ReLU between. The first convolution doubles the channels at stride 2
  ///   where the map's side is above 8.
  /// - "mlp-sr", of decoupled greedy learning: average pooling to a quarter of the side, three
  ///   convolutions 1×1 with batch normalisation and ReLU, average pooling to 2×2, three linear
  ///   layers with batch normalisation and ReLU, one linear layer. "mlp": the same without the
  ///   convolutions.
  /// - "cnn": two convolutions 3×3 with batch normalisation and ReLU, average pooling to 2×2, batch
  ///   normalisation, one linear layer.
  std::string type = "linear";
  /// Width of the hidden linear layers of an XcYf head.
  std::int64_t feature_dim = 128;
  /// Factor on the widths of an XcYf head.
  double widen = 1;
  /// What linear and XcYf heads read of a sequence of tokens: "mean" (the mean of the tokens other
  /// than the class token) or "class" (the class token).
  std::string token = "mean";
};

/// Whether `type` is a head type that head_layers() accepts.
bool is_head_type(const std::string& type);
/// The known types as text, for messages.
std::string known_heads();

/// The layers of a head.
/// \param features shape of the head's input, without the batch: maps (C, h, w); features (F), for
///        which linear layers with batch normalisation replace the convolutions; or tokens (tokens,
///        width), for which transformer blocks replace the convolutions of an XcYf head, and which
///        mlp, mlp-sr and cnn heads read as a map.
/// \param outputs of the last layer: the number of classes, for a classifier.
/// \param map shape of the map that tokens form, (width, rows, columns); unused for other features.
/// \throws UserError for an unknown type.
LayerTexts head_layers(const HeadOptions& options, const Shape& features, std::int64_t outputs,
                       const Shape& map = {});

}  // namespace mlaan
