// Builds a net from layers, and tracks the shape through them.
#pragma once

#include "nn/layer_kinds/layer_words.h"

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/layer_text.h>
#include <mlaan/nn/layers/tokens.h>

#include <torch/nn/modules/container/any.h>
#include <torch/nn/options/conv.h>

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// Tracks the shape through the layers of a net, and makes the layers if `makes` is true. Layers of
/// a kind are numbered in the names of their parameters.
class LayerBuilder {
 public:
  LayerBuilder(Shape features, const Backbone& backbone, bool several_linears, bool makes)
      : features_(std::move(features)),
        backbone_(backbone),
        several_linears_(several_linears),
        makes_(makes) {}

  const Shape& features() const { return features_; }
  const Backbone& backbone() const { return backbone_; }
  bool is_map() const { return features_.size() == 3; }
  bool is_tokens() const { return mlaan::is_tokens(features_); }
  std::int64_t width() const { return width_of(features_); }
  TokenLayout token_layout() const { return token_layout_of(features_, backbone_); }

  /// Adds a layer. \param make returns its unit.
  void add(Shape output, const std::function<Unit()>& make) {
    if (makes_) built_.units.push_back(make());
    features_ = std::move(output);
  }

  /// Adds a layer without parameters.
  template <class Module>
  void add_plain(const std::string& name, Shape output, const std::function<Module()>& make) {
    add(std::move(output), [&] {
      return Unit(name, std::vector<Unit::Layer>{{"", torch::nn::AnyModule(make())}});
    });
  }

  std::string next_convolution() { return std::to_string(++convolutions_); }
  std::string next_filter() { return "filter" + std::to_string(++filters_); }
  std::string next_normalisation() { return "norm" + std::to_string(++normalisations_); }
  std::string next_block(const std::string& kind) { return kind + "." + std::to_string(blocks_++); }
  std::string next_linear() {
    ++linears_;
    return several_linears_ ? "fc" + std::to_string(linears_) : "fc";
  }

  void add_average(ParameterAverage average) { built_.averages.push_back(std::move(average)); }
  void describe_last(const std::string& text) {
    if (makes_) built_.units.back().set_description(text);
  }
  /// Keeps the last layer's parameters as they are: they get no gradients and no optimizer state.
  /// \throws UserError if it has no parameters that are trained.
  void freeze_last(const TermWords& words);
  BuiltLayers take() { return std::move(built_); }

 private:
  Shape features_;
  const Backbone& backbone_;
  bool several_linears_;
  bool makes_;
  std::int64_t convolutions_ = 0;
  std::int64_t filters_ = 0;
  std::int64_t normalisations_ = 0;
  std::int64_t linears_ = 0;
  std::int64_t blocks_ = 0;
  BuiltLayers built_;
};

// Requirements of a layer on its input; each throws a UserError that names the layer.
void need_map(const TermWords& words, const LayerBuilder& net);
void need_flat(const TermWords& words, const LayerBuilder& net);
void need_tokens(const TermWords& words, const LayerBuilder& net);

/// Shape of the map, with so many channels, that a layer of this stride returns.
Shape strided(const Shape& map, std::int64_t channels, std::int64_t stride);

/// Shape of a unit's output for maps of other sides, or another number of tokens, than its own.
/// \param own shape of the unit's output in the backbone.
Shape following(const Shape& given, const Shape& own, std::int64_t stride);

/// Adds a layer that reduces a sequence to one row of features, as `summary` says.
void add_readout_of_tokens(const TermWords& words, LayerBuilder& net, TokenSummary summary);

/// Layers that reduce any input to one row of features, for a linear layer.
std::vector<Unit::Layer> pooling_layers(LayerBuilder& net);

/// A convolution whose output has the input's size, divided by the stride.
torch::nn::Conv2dOptions same_convolution(std::int64_t in, std::int64_t out,
                                          std::pair<std::int64_t, std::int64_t> kernel,
                                          std::int64_t stride, bool bias);

/// A ReLU that works in place.
torch::nn::AnyModule relu_layer();

}  // namespace mlaan
