#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <map>

namespace mlaan::testing {
namespace {

/// The learning rate of each parameter.
std::map<std::string, double> rates(const Engine& engine) {
  std::map<const void*, double> by_tensor;
  for (const auto& part : engine.parts()) {
    for (const auto& group : part.optimizer->param_groups()) {
      for (const auto& parameter : group.params()) {
        by_tensor[parameter.unsafeGetTensorImpl()] = group.options().get_lr();
      }
    }
  }
  std::map<std::string, double> rates;
  for (const auto& part : engine.parts()) {
    for (const auto& named : part.parameters) {
      rates[named.name] = by_tensor.at(named.tensor.unsafeGetTensorImpl());
    }
  }
  return rates;
}

TEST(LayerDecay, RatesFallFromUnitToUnitTowardsTheInput) {
  // Units: stem, layer1.0, layer2.0, layer3.0, of which two make a module.
  const Backbone backbone = test_backbone("resnet8", 0);
  Plan plan = methods::dgl(backbone, Partition::uniform(backbone, 2));
  scale_net_learning_rates(plan, backbone, 0.25);
  for (const bool decay_norms : {true, false}) {
    EngineOptions options;
    SgdOptions descent;
    descent.lr = 0.4;
    descent.decay_norms = decay_norms;
    options.optimizer = sgd(descent);
    options.layer_decay = 0.5;
    Engine engine(backbone, plan, options);
    EXPECT_DOUBLE_EQ(rates(engine).at("layer3.0.conv1.weight"), 0.2) << "before it is set";
    engine.set_learning_rate(1.6);
    const auto found = rates(engine);
    EXPECT_DOUBLE_EQ(found.at("fc.weight"), 1.6);
    EXPECT_DOUBLE_EQ(found.at("layer3.0.conv1.weight"), 0.8);
    EXPECT_DOUBLE_EQ(found.at("layer3.0.bn1.bias"), 0.8);
    EXPECT_DOUBLE_EQ(found.at("layer2.0.conv1.weight"), 0.4);
    EXPECT_DOUBLE_EQ(found.at("layer1.0.bn2.weight"), 0.2);
    EXPECT_DOUBLE_EQ(found.at("conv1.weight"), 0.1);
    int of_nets = 0;
    for (const auto& [name, rate] : found) {
      if (name.compare(0, 4, "aux.") != 0) continue;
      EXPECT_DOUBLE_EQ(rate, 0.25 * 0.2) << name << " reads what layer1.0 gives";
      ++of_nets;
    }
    EXPECT_GT(of_nets, 0);
    std::size_t parameters = 0;
    for (const auto& part : engine.parts()) parameters += part.parameters.size();
    EXPECT_EQ(found.size(), parameters) << "each is in one group";
  }
}

TEST(LayerDecay, ParametersMoveByTheirRate) {
  const auto moved = [](double decay) {
    const Backbone backbone = test_backbone("resnet8", 0);
    EngineOptions options;
    options.optimizer = sgd({1, 0, 0, false});
    options.layer_decay = decay;
    Engine engine(backbone, methods::dgl(backbone, default_partition(backbone, 3)), options);
    engine.set_learning_rate(0.125);
    std::map<std::string, torch::Tensor> steps;
    for (const auto& named : backbone.named_parameters()) {
      steps[named.name] = named.tensor.detach().clone();
    }
    torch::manual_seed(0);
    engine.step(torch::randn({4, 3, 32, 32}), torch::tensor({1, 2, 3, 4}));
    for (const auto& named : backbone.named_parameters()) {
      steps[named.name] = named.tensor.detach() - steps[named.name];
    }
    return steps;
  };
  const auto whole = moved(1);
  const auto decayed = moved(0.5);
  const std::map<std::string, double> factors{{"conv1.weight", 1.0 / 16},
                                              {"layer1.0.conv1.weight", 1.0 / 8},
                                              {"layer2.0.conv2.weight", 1.0 / 4},
                                              {"layer3.0.bn1.weight", 1.0 / 2},
                                              {"fc.bias", 1}};
  for (const auto& [name, factor] : factors) {
    EXPECT_TRUE(torch::allclose(decayed.at(name), whole.at(name) * factor, 1e-3, 1e-7)) << name;
  }
}

}  // namespace
}  // namespace mlaan::testing
