// ConvNeXts (Liu et al. 2022, arXiv:2201.03545).
#include <mlaan/nn/backbones/convnext.h>
#include <mlaan/nn/fork.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/drop_path.h>
#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/narrow.h>
#include <mlaan/nn/layers/recomputed_linear.h>
#include <mlaan/nn/recomputes_activations.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/container/sequential.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

#include <string>
#include <utility>

namespace mlaan {
namespace {

constexpr double norm_epsilon = 1e-6;
constexpr double layer_scale = 1e-6;
constexpr double most_dropped = 0.1;
constexpr std::int64_t hidden_factor = 4;

torch::nn::LayerNorm channel_norm(std::int64_t channels) {
  return torch::nn::LayerNorm(torch::nn::LayerNormOptions({channels}).eps(norm_epsilon));
}

template <class Layer>
Layer initialised(Layer layer) {
  // The reference truncates the normal distribution at a hundred deviations, that is, not at all.
  torch::nn::init::normal_(layer->weight, 0, 0.02);
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

torch::nn::Conv2d patch_convolution(std::int64_t in, std::int64_t out, std::int64_t side) {
  return initialised(torch::nn::Conv2d(torch::nn::Conv2dOptions(in, out, side).stride(side)));
}

/// Layer normalisation over the channels of a map.
class ChannelNormImpl : public torch::nn::LayerNormImpl {
 public:
  explicit ChannelNormImpl(std::int64_t channels)
      : LayerNormImpl(torch::nn::LayerNormOptions({channels}).eps(norm_epsilon)) {}

  torch::Tensor forward(const torch::Tensor& maps) {
    return LayerNormImpl::forward(maps.permute({0, 2, 3, 1})).permute({0, 3, 1, 2});
  }

  std::shared_ptr<torch::nn::Module> clone(
      const c10::optional<torch::Device>& device = c10::nullopt) const override {
    const torch::NoGradGuard no_grad;
    auto copy = std::make_shared<ChannelNormImpl>(options.normalized_shape().at(0));
    const auto mine = parameters();
    auto theirs = copy->parameters();
    for (std::size_t i = 0; i < mine.size(); ++i) {
      const torch::Tensor data = mine[i].detach().clone();
      theirs[i].set_data(device ? data.to(*device) : data);
    }
    copy->train(is_training());
    return copy;
  }
};

/// The branch of a block, with children named by their numbers in torchvision: `0`, a depthwise 7×7
/// convolution; `2`, layer normalisation; `3` and `5`, linear layers with GELU between them.
class ConvnextBranchImpl : public torch::nn::Cloneable<ConvnextBranchImpl> {
 public:
  explicit ConvnextBranchImpl(std::int64_t channels) : channels_(channels) {
    ConvnextBranchImpl::reset();
  }

  void reset() override {
    depthwise_ = register_module(
        "0", initialised(torch::nn::Conv2d(
                 torch::nn::Conv2dOptions(channels_, channels_, 7).padding(3).groups(channels_))));
    norm_ = register_module("2", channel_norm(channels_));
    widen_ =
        register_module("3", initialised(torch::nn::Linear(channels_, hidden_factor * channels_)));
    project_ =
        register_module("5", initialised(torch::nn::Linear(hidden_factor * channels_, channels_)));
  }

  /// \param recomputes see norm_linear().
  torch::Tensor forward(const torch::Tensor& input, bool recomputes) {
    const torch::Tensor convolved = depthwise_(input).permute({0, 2, 3, 1});
    // Flattened to rows, so that gradients of biases are summed in one order for any strides.
    const torch::Tensor rows = convolved.flatten(0, 2);
    const torch::Tensor hidden = norm_linear(norm_, rows, widen_->weight, widen_->bias, recomputes);
    return gelu_linear(hidden, project_->weight, project_->bias, recomputes)
        .view(convolved.sizes())
        .permute({0, 3, 1, 2});
  }

 private:
  std::int64_t channels_;
  torch::nn::Conv2d depthwise_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear widen_{nullptr};
  torch::nn::Linear project_{nullptr};
};
TORCH_MODULE(ConvnextBranch);

/// input + layer_scale · branch(input), with the members `block` and `layer_scale`. A fresh block
/// of other sizes begins with `downsample`: a layer normalisation and a convolution.
class ConvnextBlockImpl : public torch::nn::Cloneable<ConvnextBlockImpl>,
                          public RecomputesActivations,
                          public FreshBlock,
                          public DropsPath,
                          public Narrowable {
 public:
  /// \param dropped fraction of the samples whose branch is dropped in training.
  ConvnextBlockImpl(std::int64_t in_channels, std::int64_t channels, std::int64_t stride,
                    double dropped)
      : DropsPath(dropped), in_channels_(in_channels), channels_(channels), stride_(stride) {
    ConvnextBlockImpl::reset();
  }

  void reset() override {
    if (in_channels_ != channels_ || stride_ != 1) {
      downsample_ = register_module(
          "downsample", torch::nn::Sequential(std::make_shared<ChannelNormImpl>(in_channels_),
                                              patch_convolution(in_channels_, channels_, stride_)));
    }
    block_ = register_module("block", ConvnextBranch(channels_));
    layer_scale_ = register_parameter("layer_scale", torch::full({channels_, 1, 1}, layer_scale));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    const auto ways = fork(downsample_.is_empty() ? input : downsample_->forward(input), 2);
    torch::Tensor branch = layer_scale_ * block_->forward(ways[0], recomputes());
    if (is_training() && drop_path_share() > 0) branch = drop_path(branch);
    return branch.add_(ways[1]);
  }

  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override {
    return torch::nn::AnyModule(
        std::make_shared<ConvnextBlockImpl>(in_channels, channels_, stride, drop_path_share()));
  }

  void narrow_own_parameters(std::int64_t factor) override {
    layer_scale_.set_data(grouped(layer_scale_, {layer_scale_.size(0) / factor, 1, 1}).clone());
  }

 private:
  std::int64_t in_channels_;
  std::int64_t channels_;
  std::int64_t stride_;
  torch::nn::Sequential downsample_{nullptr};
  ConvnextBranch block_{nullptr};
  torch::Tensor layer_scale_;
};

/// Global average pooling, then layer normalisation: (batch, C, h, w) → (batch, C).
class PooledNormImpl : public torch::nn::Cloneable<PooledNormImpl> {
 public:
  explicit PooledNormImpl(std::int64_t channels) : channels_(channels) { PooledNormImpl::reset(); }
  void reset() override { norm_ = register_module("0", channel_norm(channels_)); }
  torch::Tensor forward(const torch::Tensor& maps) { return norm_(pool_(maps)); }

 private:
  std::int64_t channels_;
  GlobalAveragePool pool_;
  torch::nn::LayerNorm norm_{nullptr};
};

struct Stage {
  std::int64_t channels;
  std::int64_t blocks;
};

constexpr Stage tiny[] = {{96, 3}, {192, 3}, {384, 9}, {768, 3}};

}  // namespace

Backbone convnext_tiny(std::int64_t classes, const Shape& input_shape) {
  using torch::nn::AnyModule;
  std::int64_t blocks = 0;
  for (const auto& stage : tiny) blocks += stage.blocks;
  std::vector<Unit> units;
  std::int64_t channels = tiny[0].channels;
  units.emplace_back(
      "features.0",
      std::vector<Unit::Layer>{
          {"features.0.0", AnyModule(patch_convolution(input_shape.at(0), channels, 4))},
          {"features.0.1", AnyModule(std::make_shared<ChannelNormImpl>(channels))}});
  std::int64_t number = 1;  // of the stage in torchvision's `features`
  std::int64_t position = 0;
  for (const auto& stage : tiny) {
    std::vector<Unit::Layer> layers;
    if (stage.channels != channels) {
      const std::string halving = "features." + std::to_string(number) + ".";
      layers.push_back({halving + "0", AnyModule(std::make_shared<ChannelNormImpl>(channels))});
      layers.push_back({halving + "1", AnyModule(patch_convolution(channels, stage.channels, 2))});
      channels = stage.channels;
      ++number;
    }
    for (std::int64_t block = 0; block < stage.blocks; ++block) {
      const std::string name = "features." + std::to_string(number) + "." + std::to_string(block);
      const double dropped =
          most_dropped * static_cast<double>(position) / static_cast<double>(blocks - 1);
      layers.push_back(
          {name, AnyModule(std::make_shared<ConvnextBlockImpl>(channels, channels, 1, dropped))});
      units.emplace_back(name, std::move(layers));
      layers = {};
      ++position;
    }
    ++number;
  }
  std::vector<Unit> head;
  head.emplace_back(
      "classifier",
      std::vector<Unit::Layer>{
          {"classifier", AnyModule(std::make_shared<PooledNormImpl>(channels))},
          {"classifier.2", AnyModule(initialised(torch::nn::Linear(channels, classes)))}});
  Backbone backbone("convnext_tiny", std::move(units), std::move(head), input_shape);
  backbone.set_block_count(static_cast<std::size_t>(blocks));
  return backbone;
}

std::vector<BackboneEntry> convnext_entries() {
  BackboneEntry entry;
  entry.name = "convnext_tiny";
  entry.summary = "ConvNeXt-Tiny of 18 blocks, for large pictures";
  entry.make = [](std::int64_t classes, const Shape& input_shape) {
    return convnext_tiny(classes, input_shape);
  };
  return {entry};
}

}  // namespace mlaan
