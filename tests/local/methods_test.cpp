#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/e2e.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace mlaan::testing {
namespace {

class Methods : public ::testing::Test {
 protected:
  Backbone backbone = test_backbone("resnet20", 0);
  Partition partition = default_partition(backbone, 0);
};

TEST_F(Methods, EveryRegisteredOneTrainsAStep) {
  for (const auto& entry : method_registry().entries()) {
    const Backbone small = test_backbone("resnet8", 0);
    OptionSet options;
    const Plan plan = entry.plan(small, default_partition(small, 0), options, 1);
    Engine engine(small, plan);
    const auto before = small.named_parameters().front().tensor.detach().clone();
    const auto result = engine.step(torch::randn({4, 3, 32, 32}), torch::arange(4));
    EXPECT_TRUE(torch::isfinite(result.losses).all().item<bool>()) << entry.name;
    EXPECT_EQ(result.logits.sizes(), (std::vector<std::int64_t>{4, 10})) << entry.name;
    EXPECT_FALSE(torch::equal(small.named_parameters().front().tensor, before)) << entry.name;
  }
}

TEST_F(Methods, EveryRegisteredOneTrainsAStepOnGreyPicturesOfAnOddSize) {
  for (const auto& entry : method_registry().entries()) {
    Backbone small = make_backbone("resnet8", 10, {1, 28, 28}, 0);
    small.set_normalisation({{0.1307}, {0.3081}});
    OptionSet options;
    Engine engine(small, entry.plan(small, default_partition(small, 0), options, 1));
    const auto result = engine.step(torch::randn({4, 1, 28, 28}), torch::arange(4));
    EXPECT_TRUE(torch::isfinite(result.losses).all().item<bool>()) << entry.name;
    EXPECT_EQ(result.logits.sizes(), (std::vector<std::int64_t>{4, 10})) << entry.name;
  }
}

TEST_F(Methods, MlmHasAnIndependentSupervisionEverywhereAndACascadedOneForEachFullWindow) {
  MlmOptions options;
  options.window = 3;
  const Plan plan = methods::mlm(backbone, partition, options);
  std::set<std::pair<std::size_t, std::size_t>> cascaded;
  std::set<std::size_t> independent;
  for (const auto& supervision : plan.supervisions) {
    if (supervision.name == "cascaded") {
      cascaded.emplace(supervision.first, supervision.last);
      EXPECT_DOUBLE_EQ(supervision.weight, 0.999);
    } else {
      EXPECT_EQ(supervision.first, supervision.last);
      independent.insert(supervision.last);
      EXPECT_DOUBLE_EQ(supervision.weight, 0.001);
    }
  }
  EXPECT_EQ(independent.size(), 9U);
  EXPECT_EQ(cascaded.size(), 7U);
  EXPECT_EQ(*cascaded.begin(), (std::pair<std::size_t, std::size_t>{0, 2}));
}

TEST_F(Methods, MlaanPutsLeapLayersIntoTheCascadedNetsAlone) {
  const Plan plan = methods::mlaan(backbone, partition);
  for (const auto& supervision : plan.supervisions) {
    const bool has_leap = supervision.net->units().front().name() == "leap.0";
    EXPECT_EQ(has_leap, supervision.name == "cascaded" && supervision.last < 8) << supervision.last;
  }
  EXPECT_EQ(plan.averages.size(), 7U) << "one twin for each cascaded net of modules 2 to 8";
}

TEST_F(Methods, TheLastModuleIsSupervisedByTheBackbonesOwnHead) {
  for (const auto& plan :
       {methods::e2e(backbone, partition), methods::dgl(backbone, partition),
        methods::mlm(backbone, partition), methods::mlaan(backbone, partition)}) {
    for (const auto& supervision : plan.supervisions) {
      EXPECT_EQ(supervision.net == backbone.head(), supervision.last == 8);
    }
  }
}

TEST_F(Methods, NetsWeightsDependOnSeedAndNameAlone) {
  const auto head_of_module_3 = [&](const Plan& plan) {
    for (const auto& supervision : plan.supervisions) {
      if (supervision.net->name() == "aux.3.independent") {
        return supervision.net->named_parameters().front().tensor;
      }
    }
    return torch::Tensor();
  };
  const auto with_leaps = head_of_module_3(methods::mlaan(backbone, partition, {}, 5));
  const auto without = head_of_module_3(methods::mlm(backbone, partition, {}, {}, 5));
  const auto other_seed = head_of_module_3(methods::mlm(backbone, partition, {}, {}, 6));
  EXPECT_TRUE(torch::equal(with_leaps, without));
  EXPECT_FALSE(torch::equal(with_leaps, other_seed));
}

TEST_F(Methods, AuxiliaryParametersOfDglOnResNet32AreThoseOfTheSpecification) {
  const Backbone resnet32 = test_backbone("resnet32", 0);
  const Plan plan = methods::dgl(resnet32, default_partition(resnet32, 16));
  std::int64_t parameters = 0;
  for (const auto& net : nets(plan)) {
    if (net != resnet32.head()) parameters += element_count(net->named_parameters());
  }
  EXPECT_EQ(parameters, 388374);
}

TEST_F(Methods, LeapRowsByHandAreTaken) {
  LamOptions options;
  options.rows = TextList(8, "layer3.2");
  expect_user_error([&] { methods::lam(backbone, partition, options); },
                    {"leap row of module 1", "layer3.2", "64×8×8", "16×32×32"});
  const Partition two = Partition::after(backbone, {"layer3.0"});
  options.rows = {"layer3.2"};
  const Plan plan = methods::lam(backbone, two, options);
  EXPECT_EQ(plan.supervisions.front().net->units().size(), 2U) << "one leap layer and the head";
  options.rows = {"layer3.9"};
  expect_user_error([&] { methods::lam(backbone, two, options); }, {"layer3.9"});
  options.rows = {"layer3.1", "layer3.2"};
  expect_user_error([&] { methods::lam(backbone, two, options); }, {"1 modules", "2"});
}

TEST_F(Methods, AWindowLongerThanThePartitionIsRefused) {
  MlmOptions options;
  options.window = 10;
  expect_user_error([&] { methods::mlm(backbone, partition, options); }, {"10", "9"});
}

using Windows = std::vector<std::pair<std::size_t, std::size_t>>;

/// First and last modules, from 1, of the supervisions of this name.
Windows windows_of(const std::string& name, const Plan& plan) {
  Windows windows;
  for (const auto& supervision : plan.supervisions) {
    if (supervision.name == name) {
      windows.emplace_back(supervision.first + 1, supervision.last + 1);
    }
  }
  return windows;
}

TEST_F(Methods, WindowsCanLieSideBySide) {
  MlmOptions options;
  options.window = 4;
  options.stride = 3;
  const Plan plan = methods::mlm(backbone, partition, options);
  EXPECT_EQ(windows_of("cascaded", plan), (Windows{{1, 4}, {4, 7}, {6, 9}}));
  check(plan, backbone);
  EXPECT_EQ(windows_of("cascaded", methods::mlaan_lean(backbone, partition)),
            (Windows{{1, 2}, {3, 4}, {5, 6}, {7, 8}, {8, 9}}));
  options.window = 3;
  EXPECT_EQ(windows_of("cascaded", methods::mlaan_lean(backbone, partition, {}, options)),
            (Windows{{1, 3}, {4, 6}, {7, 9}}));
  options.stride = 4;
  expect_user_error([&] { methods::mlm(backbone, partition, options); },
                    {"stride of 4", "windows of 3", "1 to 3"});
}

TEST_F(Methods, IndependentSupervisionsCanBeLeftOutWhereWindowsEnd) {
  const Windows every{{1, 1}, {2, 2}, {3, 3}, {4, 4}, {5, 5}, {6, 6}, {7, 7}, {8, 8}, {9, 9}};
  MlmOptions options;
  options.window = 4;
  options.stride = 3;
  EXPECT_EQ(windows_of("independent", methods::mlm(backbone, partition, options)), every);
  options.independent_at_ends = false;
  const Plan plan = methods::mlm(backbone, partition, options);
  EXPECT_EQ(windows_of("independent", plan),
            (Windows{{1, 1}, {2, 2}, {3, 3}, {5, 5}, {6, 6}, {8, 8}}));
  check(plan, backbone);
  options.published_code = true;
  EXPECT_EQ(windows_of("independent", methods::mlm(backbone, partition, options)),
            (Windows{{2, 2}, {3, 3}, {5, 5}, {6, 6}, {8, 8}}));
  EXPECT_EQ(windows_of("independent", methods::mlaan_lean(backbone, partition)),
            (Windows{{1, 1}, {3, 3}, {5, 5}, {7, 7}}));
  // A window of one is as long as an independent supervision, and takes its place nowhere.
  options = {};
  options.window = 1;
  options.independent_at_ends = false;
  EXPECT_EQ(windows_of("independent", methods::mlm(backbone, partition, options)), every);
}

TEST_F(Methods, LeanLeapNetsArePooledNarrowShortAndWithoutTwins) {
  LeanOptions options;
  options.stride = 1;
  options.independent_at_ends = true;
  const Plan plan = methods::mlaan_lean(backbone, partition, options);
  EXPECT_TRUE(plan.averages.empty());
  const Plan full = methods::mlaan(backbone, partition);
  ASSERT_EQ(plan.supervisions.size(), full.supervisions.size());
  for (std::size_t s = 0; s < plan.supervisions.size(); ++s) {
    const auto& supervision = plan.supervisions[s];
    if (supervision.name != "cascaded" || supervision.net == backbone.head()) continue;
    const auto& units = supervision.net->units();
    EXPECT_EQ(units.at(0).name(), "pool");
    EXPECT_EQ(units.at(1).name(), "group");
    EXPECT_LT(3 * element_count(supervision.net->named_parameters()),
              element_count(full.supervisions[s].net->named_parameters()));
  }
  check(plan, backbone);
}

TEST_F(Methods, LeapNetsCanBeSharedByStageAndLeftToChance) {
  methods::MlaanOptions options;
  options.lam.shared = true;
  options.lam.fraction = 0.25;
  const Plan plan = methods::mlaan(backbone, partition, options);
  std::map<Shape, std::set<const AuxiliaryNet*>> by_shape;
  std::size_t cascaded = 0;
  for (const auto& supervision : plan.supervisions) {
    if (supervision.name != "cascaded" || supervision.net == backbone.head()) continue;
    ++cascaded;
    by_shape[backbone.output_shape(partition.last_unit(supervision.last))].insert(
        supervision.net.get());
    EXPECT_DOUBLE_EQ(supervision.probability, 0.25);
  }
  EXPECT_EQ(cascaded, 7U) << "modules 2 to 8 of 9";
  ASSERT_EQ(by_shape.size(), 3U);
  for (const auto& [shape, shared] : by_shape) EXPECT_EQ(shared.size(), 1U) << to_string(shape);
  EXPECT_EQ(plan.averages.size(), 3U) << "one twin a net";
  check(plan, backbone);
}

TEST_F(Methods, PoolingThatDividesNoMapLeavesNothingOut) {
  LamOptions options;
  options.pool = 3;
  const Plan plan = methods::lam(backbone, partition, options);
  const auto& first = nets(plan).front()->units().front();
  EXPECT_EQ(first.forward(torch::ones({1, 16, 32, 32})).sizes(),
            (std::vector<std::int64_t>{1, 16, 11, 11}));
}

TEST_F(Methods, PlansThatDoNotFitAreRefused) {
  const auto refuse = [&](const std::function<void(Plan&)>& spoil,
                          const std::vector<std::string>& parts) {
    Plan plan = methods::dgl(backbone, partition);
    spoil(plan);
    expect_user_error([&] { check(plan, backbone); }, parts);
  };
  refuse([](Plan& plan) { plan.supervisions[2].weight = -1; }, {"local", "3", "-1", "at least 0"});
  refuse([](Plan& plan) { plan.supervisions[2].last = 9; }, {"modules 1 to 9"});
  refuse([](Plan& plan) { plan.supervisions[2].first = 4; }, {"not end before it begins"});
  refuse([](Plan& plan) { plan.supervisions[2].probability = 0; }, {"probability 0"});
  refuse([](Plan& plan) { plan.supervisions.back().probability = 0.5; }, {"own head"});
  refuse([](Plan& plan) { plan.recompute_nets = {Recompute::units}; },
         {"sets recomputation for 1"});
  refuse([](Plan& plan) { plan.supervisions[2].net = nullptr; }, {"no auxiliary net"});
  refuse([](Plan& plan) { plan.supervisions[2].loss = nullptr; }, {"no loss"});
  refuse([](Plan& plan) { plan.supervisions.erase(plan.supervisions.begin() + 2); },
         {"module 3", "never be trained"});
  refuse([](Plan& plan) { plan.supervisions.pop_back(); }, {"head", "never be trained"});
  refuse([](Plan& plan) { plan.recompute = {Recompute::module}; }, {"sets recomputation for 1"});
}

}  // namespace
}  // namespace mlaan::testing
