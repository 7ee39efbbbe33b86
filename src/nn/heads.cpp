// Heads: small auxiliary nets that end in logits.
#include <mlaan/nn/heads.h>

#include <torch/nn/functional/activation.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
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

Unit convolution_unit(const std::string& number, std::int64_t in, std::int64_t out,
                      std::int64_t stride) {
  using namespace torch::nn;
  const auto options = Conv2dOptions(in, out, 3).stride(stride).padding(1).bias(false);
  return {"conv" + number,
          std::vector<Unit::Layer>{{"conv" + number, AnyModule(Conv2d(options))},
                                   {"bn" + number, AnyModule(BatchNorm2d(out))},
                                   {"", AnyModule(ReLU(ReLUOptions(/*inplace=*/true)))}}};
}

Unit dense_unit(const std::string& number, std::int64_t in, std::int64_t out) {
  using namespace torch::nn;
  return {"conv" + number,
          std::vector<Unit::Layer>{
              {"conv" + number, AnyModule(Linear(LinearOptions(in, out).bias(false)))},
              {"bn" + number, AnyModule(BatchNorm1d(out))},
              {"", AnyModule(ReLU(ReLUOptions(/*inplace=*/true)))}}};
}

std::vector<Unit> layered_head(int convolutions, int linears, const HeadOptions& options,
                               const Shape& features, std::int64_t classes) {
  const auto widened = [&options](std::int64_t width) {
    return static_cast<std::int64_t>(std::floor(static_cast<double>(width) * options.widen));
  };
  const bool is_map = features.size() == 3;
  std::vector<Unit> units;
  std::int64_t width = features.at(0);
  for (int i = 0; i < convolutions; ++i) {
    const bool halves = i == 0 && is_map && features[1] >= smallest_halved_side;
    const std::int64_t out = i > 0 ? width : widened(halves ? 2 * width : width);
    const std::string number = std::to_string(i + 1);
    units.push_back(is_map ? convolution_unit(number, width, out, halves ? 2 : 1)
                           : dense_unit(number, width, out));
    width = out;
  }
  for (int i = 1; i < linears; ++i) {
    const std::int64_t out = widened(options.feature_dim);
    const std::string name = "fc" + std::to_string(i);
    std::vector<Unit::Layer> layers;
    if (i == 1) layers.push_back({"", torch::nn::AnyModule(GlobalAveragePool())});
    layers.push_back({name, torch::nn::AnyModule(torch::nn::Linear(width, out))});
    layers.push_back({"", torch::nn::AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(true)))});
    units.emplace_back(name, std::move(layers));
    width = out;
  }
  units.push_back(pooled_linear("fc" + std::to_string(linears), width, classes));
  return units;
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
  return type == "linear" || parse_layers(type, convolutions, linears);
}

std::vector<Unit> make_head(const HeadOptions& options, const Shape& features,
                            std::int64_t classes) {
  if (features.size() != 1 && features.size() != 3) {
    throw UserError("a head reads maps (C×h×w) or features (F); it was given " +
                    to_string(features));
  }
  int convolutions = 0;
  int linears = 0;
  if (options.type == "linear") return {pooled_linear("fc", features[0], classes)};
  if (!parse_layers(options.type, convolutions, linears)) {
    throw UserError("unknown head '" + options.type +
                    "'; known: linear, and XcYf with one digit each, for example 1c2f");
  }
  return layered_head(convolutions, linears, options, features, classes);
}

}  // namespace mlaan
