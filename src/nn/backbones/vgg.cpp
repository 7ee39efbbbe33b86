// VGG networks with batch normalisation, and those of PredSim.
//
// Simonyan and Zisserman 2015 (arXiv:1409.1556); Nøkland and Eidnes 2019 (arXiv:1901.06656).
#include <mlaan/nn/backbones/vgg.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layers/batch_norm_layers.h>
#include <mlaan/nn/layers/fresh_block.h>

#include <torch/nn/cloneable.h>
#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/dropout.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pooling.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace mlaan {
namespace {

/// The slope of leaky ReLU below 0 in PredSim's networks.
constexpr double predsim_slope = 0.01;
constexpr std::int64_t predsim_features = 1024;

/// How a unit is built, except for its input channels and stride.
struct VggUnitForm {
  std::int64_t out_channels = 0;
  std::int64_t number = 0;  ///< index of the convolution among the network's layers
  bool bias = true;
  double slope = 0;  ///< of the leaky ReLU below 0; 0: a plain ReLU
  bool pools = false;
  double dropout = 0;
};

torch::Tensor activate(torch::Tensor values, double slope) {
  return slope > 0 ? torch::leaky_relu_(values, slope) : values.relu_();
}

torch::Tensor drop(const torch::Tensor& values, double share, bool training) {
  return share > 0 ? torch::dropout(values, share, training) : values;
}

/// Convolution, batch normalisation, activation, pooling, dropout. Children are named by their
/// index in the network.
class VggUnitImpl : public torch::nn::Cloneable<VggUnitImpl>, public FreshBlock {
 public:
  VggUnitImpl(std::int64_t in_channels, std::int64_t stride, const VggUnitForm& form)
      : in_channels_(in_channels), stride_(stride), form_(form) {
    VggUnitImpl::reset();
  }

  void reset() override {
    conv_ = register_module(
        std::to_string(form_.number),
        torch::nn::Conv2d(torch::nn::Conv2dOptions(in_channels_, form_.out_channels, 3)
                              .stride(stride_)
                              .padding(1)
                              .bias(form_.bias)));
    const double fan_out = 9.0 * static_cast<double>(form_.out_channels);
    torch::nn::init::normal_(conv_->weight, 0, std::sqrt(2 / fan_out));
    if (form_.bias) torch::nn::init::zeros_(conv_->bias);
    norm_ = register_module(std::to_string(form_.number + 1),
                            torch::nn::BatchNorm2d(form_.out_channels));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    torch::Tensor output = activate(plain_norm(norm_, conv_(input)), form_.slope);
    if (form_.pools) output = torch::max_pool2d(output, 2);
    return drop(output, form_.dropout, is_training());
  }

  /// The stride replaces the pooling.
  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override {
    VggUnitForm form = form_;
    form.pools = false;
    return torch::nn::AnyModule(std::make_shared<VggUnitImpl>(in_channels, stride, form));
  }

 private:
  std::int64_t in_channels_;
  std::int64_t stride_;
  VggUnitForm form_;
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
};

/// The sides of a map.
struct MapSides {
  std::int64_t height = 1;
  std::int64_t width = 1;
};

/// Linear layer, batch normalisation, leaky ReLU, dropout. Maps are flattened; maps of other sides
/// than `sides` are first brought to these by adaptive average pooling.
class DenseUnitImpl : public torch::nn::Cloneable<DenseUnitImpl>, public FreshBlock {
 public:
  DenseUnitImpl(std::int64_t in_channels, MapSides sides, double dropout)
      : in_channels_(in_channels), sides_(sides), dropout_(dropout) {
    DenseUnitImpl::reset();
  }

  void reset() override {
    const std::int64_t in_features = in_channels_ * sides_.height * sides_.width;
    linear_ = register_module(
        "linear",
        torch::nn::Linear(torch::nn::LinearOptions(in_features, predsim_features).bias(false)));
    norm_ = register_module("norm", torch::nn::BatchNorm1d(predsim_features));
  }

  torch::Tensor forward(const torch::Tensor& input) {
    return drop(activate(plain_norm(norm_, linear_(fitted(input).flatten(1))), predsim_slope),
                dropout_, is_training());
  }

  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t) const override {
    return torch::nn::AnyModule(std::make_shared<DenseUnitImpl>(in_channels, MapSides{}, dropout_));
  }

 private:
  torch::Tensor fitted(const torch::Tensor& input) const {
    if (input.dim() != 4) return input;
    if (input.size(2) == sides_.height && input.size(3) == sides_.width) return input;
    return torch::adaptive_avg_pool2d(input, {sides_.height, sides_.width});
  }

  std::int64_t in_channels_;
  MapSides sides_;
  double dropout_;
  torch::nn::Linear linear_{nullptr};
  torch::nn::BatchNorm1d norm_{nullptr};
};

/// The convolutional units. \param form what all of them have in common.
std::vector<Unit> convolutional_units(const VggLayers& layers, std::int64_t in_channels,
                                      VggUnitForm form) {
  std::vector<Unit> units;
  form.number = 0;
  for (std::size_t i = 0; i < layers.size(); ++i) {
    if (layers[i] == 0) {
      ++form.number;
      continue;
    }
    form.out_channels = layers[i];
    form.pools = i + 1 < layers.size() && layers[i + 1] == 0;
    units.emplace_back(
        "features." + std::to_string(form.number),
        std::vector<Unit::Layer>{{"features", torch::nn::AnyModule(std::make_shared<VggUnitImpl>(
                                                  in_channels, 1, form))}});
    in_channels = form.out_channels;
    form.number += 3;
  }
  return units;
}

torch::nn::Linear classifier_layer(std::int64_t in, std::int64_t out) {
  torch::nn::Linear layer(in, out);
  torch::nn::init::normal_(layer->weight, 0, 0.01);
  torch::nn::init::zeros_(layer->bias);
  return layer;
}

Unit classifier(std::int64_t channels, std::int64_t classes) {
  constexpr std::int64_t side = 7;
  constexpr std::int64_t hidden = 4096;
  using torch::nn::AnyModule;
  return {"classifier",
          std::vector<Unit::Layer>{
              {"", AnyModule(torch::nn::AdaptiveAvgPool2d(side))},
              {"", AnyModule(torch::nn::Flatten())},
              {"classifier.0", AnyModule(classifier_layer(channels * side * side, hidden))},
              {"", AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(true)))},
              {"", AnyModule(torch::nn::Dropout(0.5))},
              {"classifier.3", AnyModule(classifier_layer(hidden, hidden))},
              {"", AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(true)))},
              {"", AnyModule(torch::nn::Dropout(0.5))},
              {"classifier.6", AnyModule(classifier_layer(hidden, classes))}}};
}

std::int64_t last_channels(const VggLayers& layers) {
  for (auto layer = layers.rbegin(); layer != layers.rend(); ++layer) {
    if (*layer > 0) return *layer;
  }
  throw UserError("a VGG needs at least one convolution");
}

MapSides sides_after(const VggLayers& layers, const Shape& input_shape) {
  const auto poolings = std::count(layers.begin(), layers.end(), 0);
  return {input_shape.at(1) >> poolings, input_shape.at(2) >> poolings};
}

BackboneEntry vgg_entry(const std::string& name, const VggLayers& layers) {
  BackboneEntry entry;
  entry.name = name;
  entry.summary = "VGG with batch normalisation, for large pictures";
  entry.make = [name, layers](std::int64_t classes, const Shape& input_shape) {
    return vgg_bn(name, layers, classes, input_shape);
  };
  return entry;
}

BackboneEntry predsim_entry(const std::string& name, const VggLayers& layers) {
  BackboneEntry entry;
  entry.name = name;
  entry.summary = "PredSim's VGG, for small pictures";
  entry.make = [name, layers](std::int64_t classes, const Shape& input_shape) {
    return vgg_predsim(name, layers, classes, input_shape);
  };
  entry.make_with = [name, layers](std::int64_t classes, const Shape& input_shape,
                                   const BackboneSettings& settings) {
    return vgg_predsim(name, layers, classes, input_shape,
                       read_settings<PredsimVggOptions>(name, settings));
  };
  return entry;
}

}  // namespace

Backbone vgg_bn(const std::string& name, const VggLayers& layers, std::int64_t classes,
                const Shape& input_shape) {
  return {name,
          convolutional_units(layers, input_shape.at(0), {}),
          {classifier(last_channels(layers), classes)},
          input_shape};
}

void PredsimVggOptions::describe(FieldList& fields) {
  fields.add("dropout", dropout, "dropout probability of each unit's outputs", between(0, 0.99));
}

Backbone vgg_predsim(const std::string& name, const VggLayers& layers, std::int64_t classes,
                     const Shape& input_shape, const PredsimVggOptions& options) {
  VggUnitForm form;
  form.bias = false;
  form.slope = predsim_slope;
  form.dropout = options.dropout;
  auto units = convolutional_units(layers, input_shape.at(0), form);
  const MapSides sides = sides_after(layers, input_shape);
  if (sides.height == 0 || sides.width == 0) {
    throw UserError(name + " halves its maps too often for pictures of " + to_string(input_shape));
  }
  units.emplace_back(
      "fc1", std::make_shared<DenseUnitImpl>(last_channels(layers), sides, options.dropout));
  return {name, std::move(units), {pooled_linear("fc2", predsim_features, classes)}, input_shape};
}

std::vector<BackboneEntry> vgg_entries() {
  return {
      vgg_entry("vgg11_bn", {64, 0, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0}),
      vgg_entry("vgg13_bn", {64, 64, 0, 128, 128, 0, 256, 256, 0, 512, 512, 0, 512, 512, 0}),
      vgg_entry("vgg16_bn",
                {64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0}),
      vgg_entry("vgg19_bn", {64,  64,  0,   128, 128, 0,   256, 256, 256, 256, 0,
                             512, 512, 512, 512, 0,   512, 512, 512, 512, 0}),
      predsim_entry("vgg8b", {128, 256, 0, 256, 512, 0, 512, 0, 512, 0}),
      predsim_entry("vgg11b", {128, 128, 128, 256, 0, 256, 512, 0, 512, 512, 0, 512, 0}),
  };
}

}  // namespace mlaan
