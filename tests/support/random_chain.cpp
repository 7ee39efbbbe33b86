// Random chains of units, random partitions and random plans for property tests.
#include "support/random_chain.h"

#include <mlaan/nn/heads.h>
#include <mlaan/nn/probe.h>

#include <torch/torch.h>

namespace mlaan::testing {
namespace {

constexpr std::int64_t chain_classes = 4;
constexpr std::int64_t batch = 6;

/// x + f(x), f being a convolution, batch normalisation, dropout and ReLU.
class ResidualImpl : public torch::nn::Cloneable<ResidualImpl> {
 public:
  explicit ResidualImpl(std::int64_t channels) : channels_(channels) { ResidualImpl::reset(); }
  void reset() override {
    conv_ = register_module(
        "conv", torch::nn::Conv2d(torch::nn::Conv2dOptions(channels_, channels_, 3).padding(1)));
    norm_ = register_module("norm", torch::nn::BatchNorm2d(channels_));
    dropout_ = register_module("dropout", torch::nn::Dropout(0.3));
  }
  torch::Tensor forward(const torch::Tensor& input) {
    return torch::relu(input + dropout_(norm_(conv_(input))));
  }

 private:
  std::int64_t channels_;
  torch::nn::Conv2d conv_{nullptr};
  torch::nn::BatchNorm2d norm_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(Residual);

using torch::nn::AnyModule;

Unit convolution_unit(const std::string& name, std::int64_t in, std::int64_t out,
                      std::int64_t stride, bool dropout) {
  const auto options = torch::nn::Conv2dOptions(in, out, 3).stride(stride).padding(1);
  std::vector<Unit::Layer> layers{{name, AnyModule(torch::nn::Conv2d(options))},
                                  {name + ".norm", AnyModule(torch::nn::BatchNorm2d(out))},
                                  {"", AnyModule(torch::nn::ReLU(torch::nn::ReLUOptions(true)))}};
  if (dropout) layers.push_back({"", AnyModule(torch::nn::Dropout(0.25))});
  return {name, std::move(layers)};
}

Unit linear_unit(const std::string& name, std::int64_t in, std::int64_t out, bool dropout) {
  std::vector<Unit::Layer> layers{{name, AnyModule(torch::nn::Linear(in, out))},
                                  {name + ".norm", AnyModule(torch::nn::BatchNorm1d(out))},
                                  {"", AnyModule(torch::nn::Tanh())}};
  if (dropout) layers.push_back({"", AnyModule(torch::nn::Dropout(0.25))});
  return {name, std::move(layers)};
}

Backbone random_backbone(RandomStream& random, bool convolutional) {
  const std::uint64_t count = 4 + random.below(5);
  std::vector<Unit> units;
  std::int64_t width = convolutional ? 2 : 5;
  const std::int64_t input_width = width;
  for (std::uint64_t i = 0; i < count; ++i) {
    const std::string name = "unit" + std::to_string(i);
    const std::int64_t next = 3 + static_cast<std::int64_t>(random.below(4));
    const bool dropout = random.below(3) == 0;
    if (convolutional && i > 0 && random.below(3) == 0) {
      units.emplace_back(name, Residual(width));
    } else if (convolutional) {
      units.push_back(convolution_unit(name, width, next, random.below(4) == 0 ? 2 : 1, dropout));
      width = next;
    } else {
      units.push_back(linear_unit(name, width, next, dropout));
      width = next;
    }
  }
  const Shape shape = convolutional ? Shape{input_width, 7, 7} : Shape{input_width};
  return {"random", std::move(units), {pooled_linear("head", width, chain_classes)}, shape};
}

Partition random_partition(RandomStream& random, std::size_t units) {
  const std::size_t modules = 2 + random.below(std::min<std::size_t>(4, units - 1));
  std::vector<std::size_t> last_units;
  for (const auto cut : random_permutation(static_cast<std::int64_t>(units) - 1, random.next())) {
    if (last_units.size() + 1 < modules) last_units.push_back(static_cast<std::size_t>(cut));
  }
  std::sort(last_units.begin(), last_units.end());
  last_units.push_back(units - 1);
  return Partition(std::move(last_units));
}

std::shared_ptr<AuxiliaryNet> random_trunk(const std::string& name, const Shape& features) {
  const auto width = features[0];
  return std::make_shared<AuxiliaryNet>(
      name,
      std::vector<Unit>{features.size() == 3 ? convolution_unit("shared", width, width, 1, true)
                                             : linear_unit("shared", width, width, true)});
}

std::shared_ptr<AuxiliaryNet> random_net(RandomStream& random, const std::string& name,
                                         const Shape& features,
                                         std::shared_ptr<AuxiliaryNet> trunk = nullptr) {
  std::vector<Unit> units;
  const bool convolutional = features.size() == 3;
  const auto width = features[0];
  if (random.below(2) == 0) {
    units.push_back(convolutional ? convolution_unit("hidden", width, 4, 1, random.below(2) == 0)
                                  : linear_unit("hidden", width, 4, random.below(2) == 0));
    units.push_back(pooled_linear("fc", 4, chain_classes));
  } else {
    units.push_back(pooled_linear("fc", width, chain_classes));
  }
  return std::make_shared<AuxiliaryNet>(name, std::move(units), std::move(trunk));
}

/// Two losses, so that one net can be read by supervisions that differ in the loss alone.
LossPtr squared_logits() {
  return std::make_shared<const Loss>(
      Loss{"squared_logits", [](const torch::Tensor& logits, const Targets& targets) {
             return logits.pow(2).mean() * (1 + targets.labels.to(logits.dtype()).mean());
           }});
}

Plan random_plan(RandomStream& random, const Backbone& backbone) {
  Plan plan{random_partition(random, backbone.size()), {}, {}, {}, {}};
  const std::size_t modules = plan.partition.size();
  const auto weight = [&] { return random.below(8) == 0 ? 0.0 : random.uniform(0.05, 2); };
  const auto entropy = cross_entropy();
  const auto other_loss = squared_logits();
  // Every module, and the head, is trained by at least one.
  plan.supervisions.push_back(
      {"output", modules - 1 - random.below(modules), modules - 1, backbone.head(), entropy, 0.7});
  std::vector<std::shared_ptr<AuxiliaryNet>> local_nets;
  for (std::size_t j = 0; j + 1 < modules; ++j) {
    const auto& features = backbone.output_shape(plan.partition.last_unit(j));
    const bool can_share =
        j > 0 && backbone.output_shape(plan.partition.last_unit(j - 1)) == features;
    if (can_share && random.below(2) == 0) {
      local_nets.push_back(local_nets.back());  // modules of a stage may share a net
    } else {
      local_nets.push_back(random_net(random, "aux." + std::to_string(j) + ".local", features));
    }
    plan.supervisions.push_back(
        {"local", j, j, local_nets.back(), entropy, random.uniform(0.05, 2)});
  }
  const std::uint64_t more = 2 + random.below(7);
  for (std::uint64_t i = 0; i < more; ++i) {
    const std::size_t last = random.below(modules);
    const std::size_t window = 1 + random.below(std::min<std::size_t>(4, last + 1));
    const auto& features = backbone.output_shape(plan.partition.last_unit(last));
    const std::string name = "aux." + std::to_string(last) + "." + std::to_string(i);
    const bool shared = random.below(3) == 0;
    const auto net = !shared               ? random_net(random, name, features)
                     : last + 1 == modules ? backbone.head()
                                           : local_nets[last];
    const auto& loss = random.below(3) == 0 ? other_loss : entropy;
    plan.supervisions.push_back({name, last + 1 - window, last, net, loss, weight()});
  }
  // A trunk that two nets read, for windows of different lengths.
  const std::size_t last = random.below(modules);
  const auto& features = backbone.output_shape(plan.partition.last_unit(last));
  const auto trunk = random_trunk("aux.trunk", features);
  for (const char* name : {"aux.left", "aux.right", "aux.middle"}) {
    const auto read = random_net(random, name, features, trunk);
    const std::size_t window = 1 + random.below(std::min<std::size_t>(3, last + 1));
    plan.supervisions.push_back(
        {name, last + 1 - window, last, read, random.below(2) == 0 ? entropy : other_loss, 0.3});
  }
  return plan;
}

}  // namespace

TrainingCase random_case(std::uint64_t key, torch::Dtype dtype) {
  RandomStream random(key);
  torch::manual_seed(key);
  const bool convolutional = random.below(3) > 0;
  Backbone backbone = random_backbone(random, convolutional);
  Plan plan = random_plan(random, backbone);
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    plan.recompute.push_back(static_cast<Recompute>(random.below(4)));
  }
  for (std::size_t i = 0; i < nets(plan).size(); ++i) {
    plan.recompute_nets.push_back(random.below(2) == 0 ? Recompute::none : Recompute::units);
  }
  backbone.to(dtype);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(dtype);
  }
  const Shape sizes = batch_shape(batch, backbone.input_shape(0));
  return {std::move(backbone), std::move(plan), torch::randn(sizes, dtype),
          torch::randint(chain_classes, {batch}, torch::kInt64)};
}

}  // namespace mlaan::testing
