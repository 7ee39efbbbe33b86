// Layers of auxiliary nets as text: what methods are written in, what plan files hold.
#include <mlaan/core/suggest.h>
#include <mlaan/nn/average_pool.h>
#include <mlaan/nn/conv_norm_relu.h>
#include <mlaan/nn/filter.h>
#include <mlaan/nn/fresh_block.h>
#include <mlaan/nn/heads.h>
#include <mlaan/nn/layer_text.h>
#include <mlaan/nn/leap.h>
#include <mlaan/nn/narrow.h>
#include <mlaan/nn/tokens.h>
#include <mlaan/nn/vision_transformer.h>

#include <torch/nn/init.h>
#include <torch/nn/modules/activation.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/pooling.h>
#include <torch/nn/modules/upsampling.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>
#include <optional>
#include <sstream>
#include <utility>

namespace mlaan {
namespace {

/// The words of one layer's text.
class Words {
 public:
  explicit Words(const std::string& text) : text_(text) {
    std::istringstream stream(text);
    for (std::string word; stream >> word;) words_.push_back(word);
  }

  /// The next word. \param what it is to be, for messages.
  std::string next(const std::string& what) {
    if (words_.empty()) fail("it lacks " + what);
    std::string word = words_.front();
    words_.erase(words_.begin());
    return word;
  }

  std::int64_t next_count(const std::string& what) { return count(next(what), what); }

  /// "3x3"
  std::pair<std::int64_t, std::int64_t> next_size(const std::string& what) {
    return size(next(what), what);
  }

  /// Whether the word stands among those left; takes it.
  bool has(const std::string& word) {
    const auto found = std::find(words_.begin(), words_.end(), word);
    if (found == words_.end()) return false;
    words_.erase(found);
    return true;
  }

  /// The word behind `key`, where that stands among those left.
  std::optional<std::string> value_of(const std::string& key) {
    const auto found = std::find(words_.begin(), words_.end(), key);
    if (found == words_.end()) return std::nullopt;
    if (found + 1 == words_.end()) fail("nothing follows '" + key + "'");
    std::string value = *(found + 1);
    words_.erase(found, found + 2);
    return value;
  }

  std::int64_t count_of(const std::string& key, std::int64_t otherwise) {
    const auto value = value_of(key);
    return value ? count(*value, key) : otherwise;
  }

  /// The size of a map behind `key`, where that stands among the words left.
  std::optional<MapSize> map_size_of(const std::string& key) {
    const auto value = value_of(key);
    if (!value) return std::nullopt;
    const auto [rows, columns] = size(*value, "size of the map");
    return MapSize{rows, columns};
  }

  /// The twin's momentum, where a twin is asked for.
  std::optional<double> twin() {
    const auto value = value_of("twin");
    if (!value) return std::nullopt;
    char* end = nullptr;
    const double momentum = std::strtod(value->c_str(), &end);
    if (*end != 0 || !(momentum >= 0 && momentum <= 1)) {
      fail("the momentum of a twin must be a number from 0 to 1, not '" + *value + "'");
    }
    return momentum;
  }

  void finish() const {
    if (!words_.empty()) fail("'" + words_.front() + "' does not belong there");
  }

  [[noreturn]] void fail(const std::string& why) const {
    throw UserError("layer '" + text_ + "': " + why);
  }

 private:
  std::pair<std::int64_t, std::int64_t> size(const std::string& word,
                                             const std::string& what) const {
    const auto cross = word.find('x');
    if (cross == std::string::npos) fail("'" + word + "' is no " + what + "; write it as 3x3");
    return {count(word.substr(0, cross), what), count(word.substr(cross + 1), what)};
  }

  std::int64_t count(const std::string& word, const std::string& what) const {
    std::int64_t number = 0;
    const auto result = std::from_chars(word.data(), word.data() + word.size(), number);
    // Products of three of them can still be counted.
    constexpr std::int64_t most = 1 << 20;
    if (result.ec != std::errc() || result.ptr != word.data() + word.size() || number < 1 ||
        number > most) {
      fail("'" + word + "' is no " + what + "; expected a whole number from 1 to " +
           std::to_string(most));
    }
    return number;
  }

  std::string text_;
  std::vector<std::string> words_;
};

std::int64_t count_kinds(const LayerTexts& texts, std::initializer_list<const char*> kinds) {
  return std::count_if(texts.begin(), texts.end(), [&](const std::string& text) {
    const std::string kind = text.substr(0, text.find(' '));
    return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  });
}

/// Follows the shape through the layers, and makes them where that is asked for.
class Builder {
 public:
  Builder(Shape features, const Backbone& backbone, bool several_linears, bool makes)
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

  /// Adds a layer. \param make gives its unit.
  void add(Shape output, const std::function<Unit()>& make) {
    if (makes_) built_.units.push_back(make());
    features_ = std::move(output);
  }

  /// Adds layers that have no parameters of their own name.
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

void need_map(const Words& words, const Builder& net) {
  if (!net.is_map()) {
    words.fail("it reads maps (C×h×w), but it is given " + to_string(net.features()) +
               (net.is_tokens() ? " (tokens×width); 'map' goes before it" : ""));
  }
}

void need_flat(const Words& words, const Builder& net) {
  if (net.features().size() != 1) {
    words.fail("it reads flat features, but it is given " + to_string(net.features()) +
               "; 'flatten' goes before it");
  }
}

void need_tokens(const Words& words, const Builder& net) {
  if (!net.is_tokens()) {
    words.fail("it reads tokens (tokens×width), but it is given " + to_string(net.features()));
  }
}

Shape strided(const Shape& map, std::int64_t channels, std::int64_t stride) {
  return {channels, (map[1] + stride - 1) / stride, (map[2] + stride - 1) / stride};
}

torch::nn::Conv2dOptions convolution_options(std::int64_t in, std::int64_t out,
                                             std::pair<std::int64_t, std::int64_t> kernel,
                                             std::int64_t stride, bool bias) {
  return torch::nn::Conv2dOptions(in, out, {kernel.first, kernel.second})
      .stride(stride)
      .padding({kernel.first / 2, kernel.second / 2})
      .bias(bias);
}

torch::nn::AnyModule relu() {
  return torch::nn::AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(/*inplace=*/true)));
}

void add_conv(Words& words, Builder& net) {
  const auto kernel = words.next_size("size of the kernel");
  const auto out = words.next_count("number of channels");
  const auto stride = words.count_of("stride", 1);
  const bool bias = words.has("bias");
  const auto upsampled = words.map_size_of("upsampled");
  need_map(words, net);
  const std::string number = net.next_convolution();
  const auto in = net.features()[0];
  const Shape read = upsampled ? Shape{in, upsampled->rows, upsampled->columns} : net.features();
  net.add(strided(read, out, stride), [&] {
    return Unit(
        "conv" + number,
        std::vector<Unit::Layer>{
            {"", torch::nn::AnyModule(ConvNormRelu(
                     convolution_options(in, out, kernel, stride, bias), number, upsampled))}});
  });
}

void add_filter(Words& words, Builder& net) {
  const auto kernel = words.next_size("size of the kernel");
  const auto out = words.next_count("number of channels");
  const bool bias = words.has("bias");
  need_map(words, net);
  const std::string name = net.next_filter();
  const auto in = net.features()[0];
  net.add(strided(net.features(), out, 1), [&] {
    return Unit(name, std::vector<Unit::Layer>{
                          {"", torch::nn::AnyModule(
                                   Filter(convolution_options(in, out, kernel, 1, bias), name))}});
  });
}

void add_project(Words& words, Builder& net) {
  const auto out = words.next_count("number of features");
  if (!net.is_tokens()) need_flat(words, net);
  const std::string name = net.next_filter();
  const auto in = net.width();
  Shape output = net.features();
  output.back() = out;
  net.add(std::move(output), [&] {
    return Unit(name, torch::nn::Linear(torch::nn::LinearOptions(in, out).bias(false)));
  });
}

void add_dense(Words& words, Builder& net) {
  const auto out = words.next_count("number of features");
  need_flat(words, net);
  const std::string number = net.next_convolution();
  const auto in = net.features().at(0);
  net.add({out}, [&] {
    using namespace torch::nn;
    return Unit("conv" + number,
                std::vector<Unit::Layer>{
                    {"conv" + number, AnyModule(Linear(LinearOptions(in, out).bias(false)))},
                    {"bn" + number, AnyModule(BatchNorm1d(out))},
                    {"", relu()}});
  });
}

/// What makes one row of features of a sequence.
std::vector<Unit::Layer> readout_layers(Builder& net, TokenSummary summary) {
  const TokenLayout layout = net.token_layout();
  return {{"", torch::nn::AnyModule(TokenReadout(summary, layout.class_token))},
          {net.next_normalisation(), torch::nn::AnyModule(token_norm(net.width()))}};
}

/// What makes one row of features of whatever a linear layer is given.
std::vector<Unit::Layer> pooling_layers(Builder& net) {
  if (net.is_tokens()) {
    return readout_layers(
        net, net.token_layout().class_token ? TokenSummary::class_token : TokenSummary::mean);
  }
  if (net.is_map()) return {{"", torch::nn::AnyModule(GlobalAveragePool())}};
  return {};
}

void add_hidden(Words& words, Builder& net) {
  const auto out = words.next_count("number of features");
  const std::string name = net.next_linear();
  net.add({out}, [&] {
    std::vector<Unit::Layer> layers = pooling_layers(net);
    layers.push_back({name, torch::nn::AnyModule(torch::nn::Linear(net.width(), out))});
    layers.push_back({"", relu()});
    return Unit(name, std::move(layers));
  });
}

void add_linear(Words& words, Builder& net) {
  const auto out = words.next_count("number of features");
  const bool zero = words.has("zero");
  const std::string name = net.next_linear();
  net.add({out}, [&] {
    std::vector<Unit::Layer> layers = pooling_layers(net);
    torch::nn::Linear linear(net.width(), out);
    if (zero) {
      torch::nn::init::zeros_(linear->weight);
      torch::nn::init::zeros_(linear->bias);
    }
    layers.push_back({name, torch::nn::AnyModule(std::move(linear))});
    return Unit(name, std::move(layers));
  });
}

void add_batch_norm(Words& words, Builder& net) {
  if (!net.is_map()) need_flat(words, net);
  const std::string name = net.next_normalisation();
  const auto channels = net.features().at(0);
  const bool is_map = net.is_map();
  net.add(net.features(), [&] {
    return is_map ? Unit(name, torch::nn::BatchNorm2d(channels))
                  : Unit(name, torch::nn::BatchNorm1d(channels));
  });
}

void add_token_pool(const Words& words, Builder& net, std::int64_t rows, std::int64_t columns) {
  const TokenLayout layout = net.token_layout();
  if (layout.rows % rows != 0 || layout.columns % columns != 0) {
    words.fail("pooling by " + size_text(rows, columns) +
               " needs tokens whose rows and columns it divides; it was given " +
               std::to_string(layout.rows) + "×" + std::to_string(layout.columns));
  }
  const TokenLayout pooled{layout.rows / rows, layout.columns / columns, layout.class_token};
  net.add_plain<TokenAveragePool>("pool", {pooled.count(), net.width()},
                                  [&] { return TokenAveragePool(layout, rows, columns); });
}

void add_average_pool(Words& words, Builder& net) {
  // No structured binding, which clang 14 does not let a lambda capture.
  const auto size = words.next_size("size of the pooled squares");
  const std::int64_t rows = size.first;
  const std::int64_t columns = size.second;
  const bool floors = words.has("floor");
  if (net.is_tokens()) {
    add_token_pool(words, net, rows, columns);
    return;
  }
  need_map(words, net);
  const Shape& map = net.features();
  if (floors && (rows > map[1] || columns > map[2])) {
    words.fail("maps of " + to_string(map) + " are smaller than that");
  }
  if (!floors && (map[1] % rows != 0 || map[2] % columns != 0)) {
    words.fail("pooling by " + size_text(rows, columns) +
               " needs maps whose sides it divides; it was given " + to_string(map));
  }
  net.add_plain<AveragePool>("pool", {map[0], map[1] / rows, map[2] / columns},
                             [&] { return AveragePool(rows, columns); });
}

void add_adaptive_pool(Words& words, Builder& net) {
  const auto [rows, columns] = words.next_size("size of the map");
  need_map(words, net);
  const torch::nn::AdaptiveAvgPool2dOptions options({rows, columns});
  net.add_plain<torch::nn::AdaptiveAvgPool2d>("pool", {net.features()[0], rows, columns}, [&] {
    return torch::nn::AdaptiveAvgPool2d(options);
  });
}

void add_upsample(Words& words, Builder& net) {
  const auto [rows, columns] = words.next_size("size of the map");
  need_map(words, net);
  const auto options = torch::nn::UpsampleOptions()
                           .size(std::vector<std::int64_t>{rows, columns})
                           .mode(torch::kBilinear)
                           .align_corners(true);
  net.add_plain<torch::nn::Upsample>("upsample", {net.features()[0], rows, columns},
                                     [&] { return torch::nn::Upsample(options); });
}

void add_flatten(Words&, Builder& net) {
  std::int64_t count = 1;
  for (const auto side : net.features()) count *= side;
  net.add_plain<torch::nn::Flatten>("flatten", {count}, [] { return torch::nn::Flatten(); });
}

void add_group(Words& words, Builder& net) {
  const auto factor = words.next_count("factor");
  Shape output = net.features();
  const Shape input = output;
  auto& width = output[net.is_tokens() ? 1 : 0];
  width = (width + factor - 1) / factor;
  net.add(output, [&] { return channel_grouping_unit(input, factor); });
}

/// Shape of what a unit gives for features of other sides, or of another number, than its own.
/// \param own that it gives in the backbone.
Shape following(const Shape& given, const Shape& own, std::int64_t stride) {
  if (own.size() == 3) return strided(given, own[0], stride);
  return is_tokens(own) ? Shape{given[0], own[1]} : own;
}

void add_leap(Words& words, Builder& net) {
  const Backbone& backbone = net.backbone();
  const auto unit = backbone.unit_index(words.next("name of a unit"));
  const auto narrow = words.count_of("narrow", 1);
  const auto momentum = words.twin();
  const bool tied = words.has("tied");
  if (tied && momentum) words.fail("a tied layer is its own twin; leave out 'twin'");
  const Shape& given = net.features();
  const Shape& wanted = backbone.input_shape(unit);
  if (given.size() != wanted.size() || net.width() * narrow != width_of(wanted)) {
    words.fail("'" + backbone.units()[unit].name() + "' takes " + to_string(wanted) +
               (narrow > 1 ? ", a " + std::to_string(narrow) + "th of the channels here" : "") +
               ", but it is given " + to_string(given));
  }
  Shape output = following(given, backbone.output_shape(unit), stride_of(backbone, unit));
  output[is_tokens(output) ? 1 : 0] /= narrow;
  const std::string name = net.next_block("leap");
  net.add(std::move(output), [&] {
    TwinnedUnit leap = tied ? tied_unit(backbone.units()[unit], name, narrow)
                            : leap_unit(backbone, unit, name, momentum, narrow);
    if (leap.average) net.add_average(std::move(*leap.average));
    return std::move(leap.unit);
  });
}

void add_readout_of_head(Words& words, Builder& net) {
  const Backbone& backbone = net.backbone();
  const auto& head = backbone.head()->units();
  const Shape& wanted = backbone.output_shape(backbone.size() - 1);
  if (net.features().size() != wanted.size() || net.width() != width_of(wanted)) {
    words.fail("the backbone's head takes " + to_string(wanted) + ", but it is given " +
               to_string(net.features()));
  }
  if (head.size() != 1) {
    words.fail("the head of " + backbone.name() + " has " + std::to_string(head.size()) +
               " units; a readout can be of one only");
  }
  net.add({backbone.classes()}, [&] {
    TwinnedUnit readout = tied_unit(head.front(), "readout");
    net.add_average(std::move(*readout.average));
    return std::move(readout.unit);
  });
}

void add_fresh(Words& words, Builder& net) {
  const Backbone& backbone = net.backbone();
  const auto form = backbone.unit_index(words.next("name of a unit"));
  const auto stride = words.count_of("stride", stride_of(backbone, form));
  const auto momentum = words.twin();
  const Shape& given = net.features();
  const Shape& original = backbone.output_shape(form);
  // A layer that gives features may read maps: it averages or flattens them.
  if (given.size() != original.size() && original.size() != 1) {
    words.fail("it gives " + to_string(original) + ", but it is given " + to_string(given));
  }
  if (momentum && (net.width() != width_of(backbone.input_shape(form)) ||
                   stride != stride_of(backbone, form))) {
    words.fail("its twin, a copy of '" + backbone.units()[form].name() + "', takes " +
               to_string(backbone.input_shape(form)) + ", but it is given " + to_string(given));
  }
  const auto in = net.width();
  Shape output = following(given, original, stride);
  const std::string name = net.next_block("block");
  net.add(std::move(output), [&] {
    if (!momentum) return fresh_unit(backbone, form, name, in, stride);
    TwinnedUnit twinned =
        with_twin(backbone, form, name, fresh_unit(backbone, form, "copy", in, stride), *momentum);
    net.add_average(std::move(*twinned.average));
    return std::move(twinned.unit);
  });
}

void add_transformer(Words& words, Builder& net) {
  const auto heads = words.count_of("heads", usual_heads(net.width()));
  need_tokens(words, net);
  const std::string name = net.next_block("block");
  net.add(net.features(), [&] { return Unit(name, encoder_block(net.width(), heads)); });
}

void add_readout(Words& words, Builder& net, TokenSummary summary) {
  need_tokens(words, net);
  if (summary == TokenSummary::class_token && !net.token_layout().class_token) {
    words.fail("the tokens of " + net.backbone().name() + " have no class token among them");
  }
  net.add({net.width()}, [&] {
    std::vector<Unit::Layer> layers = readout_layers(net, summary);
    const std::string name = layers.back().prefix;
    return Unit(name, std::move(layers));
  });
}

void add_class_token(Words& words, Builder& net) {
  add_readout(words, net, TokenSummary::class_token);
}

void add_mean_token(Words& words, Builder& net) {
  add_readout(words, net, TokenSummary::mean);
}

void add_map(Words& words, Builder& net) {
  need_tokens(words, net);
  const TokenLayout layout = net.token_layout();
  net.add_plain<TokensToMap>("map", {net.width(), layout.rows, layout.columns},
                             [&] { return TokensToMap(layout); });
}

struct Kind {
  const char* name;
  void (*add)(Words& words, Builder& net);
};

constexpr std::array kinds{Kind{"conv", add_conv},
                           Kind{"filter", add_filter},
                           Kind{"project", add_project},
                           Kind{"dense", add_dense},
                           Kind{"hidden", add_hidden},
                           Kind{"linear", add_linear},
                           Kind{"batch_norm", add_batch_norm},
                           Kind{"average_pool", add_average_pool},
                           Kind{"adaptive_pool", add_adaptive_pool},
                           Kind{"upsample", add_upsample},
                           Kind{"flatten", add_flatten},
                           Kind{"group", add_group},
                           Kind{"leap", add_leap},
                           Kind{"readout", add_readout_of_head},
                           Kind{"fresh", add_fresh},
                           Kind{"transformer", add_transformer},
                           Kind{"class_token", add_class_token},
                           Kind{"mean_token", add_mean_token},
                           Kind{"map", add_map}};

const Kind& find_kind(const std::string& text, const std::string& name) {
  const auto found =
      std::find_if(kinds.begin(), kinds.end(), [&](const Kind& kind) { return kind.name == name; });
  if (found != kinds.end()) return *found;
  std::vector<std::string> names;
  for (const auto& kind : kinds) names.emplace_back(kind.name);
  throw UserError("layer '" + text + "': " + unknown_name("kind of layer", name, names));
}

Builder follow_layers(const LayerTexts& texts, const Shape& features, const Backbone& backbone,
                      bool makes) {
  Builder net(features, backbone, count_kinds(texts, {"hidden", "linear"}) > 1, makes);
  for (const auto& text : texts) {
    Words words(text);
    find_kind(text, words.next("its kind")).add(words, net);
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
    Words words(text);
    if (words.next("its kind") != "leap") continue;
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
