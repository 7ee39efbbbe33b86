#include "support/errors.h"
#include "support/test_backbone.h"

#include <mlaan/local/method.h>
#include <mlaan/local/methods/auglocal.h>
#include <mlaan/local/methods/infopro.h>
#include <mlaan/local/published.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <set>
#include <tuple>

namespace mlaan::testing {
namespace {

class Compositions : public ::testing::Test {
 protected:
  PlanDescription describe_method(const std::string& method, OptionSet& options) const {
    return describe(find_method(method).plan(backbone, partition, options, 1), backbone);
  }
  PlanDescription describe_method(const std::string& method) const {
    OptionSet options;
    return describe_method(method, options);
  }

  Backbone backbone = test_backbone("resnet20", 0);
  Partition partition = default_partition(backbone, 0);
};

TEST_F(Compositions, OfGreedyAreTheMethodsThatHaveNames) {
  const auto expect_same = [&](const std::string& left, const std::string& right) {
    const auto one = describe_method(left);
    const auto other = describe_method(right);
    ASSERT_EQ(one.nets.size(), other.nets.size());
    for (std::size_t n = 0; n < one.nets.size(); ++n) {
      EXPECT_EQ(one.nets[n].layers, other.nets[n].layers);
    }
    ASSERT_EQ(one.supervisions.size(), other.supervisions.size());
    for (std::size_t s = 0; s < one.supervisions.size(); ++s) {
      EXPECT_EQ(one.supervisions[s].net, other.supervisions[s].net);
      EXPECT_EQ(one.supervisions[s].weight, other.supervisions[s].weight);
    }
  };
  expect_same("greedy+mlm", "mlm");
  expect_same("greedy+lam", "lam");
  expect_same("greedy+mlm+lam", "mlaan");
  expect_same("greedy+lam+mlm", "mlaan");
  expect_same("infopro+man", "man");
}

TEST_F(Compositions, EveryHostTakesEveryAddition) {
  for (const auto& host : method_registry().entries()) {
    if (!host.host) continue;
    for (const std::string additions : {"+mlm", "+lam", "+mlm+lam", "+man", "+mlm+man"}) {
      // What follows a module cannot also be what AugLocal's own net ends with.
      const auto plan = describe_method(host.name + additions);
      std::size_t outputs = 0;
      for (const auto& supervision : plan.supervisions) outputs += supervision.net == head_name;
      EXPECT_EQ(outputs, additions.find("mlm") != std::string::npos ? 2U : 1U)
          << host.name << additions;
    }
  }
}

TEST_F(Compositions, LeapLayersStandAheadOfTheHostsNetsInCascadedSupervisionsAlone) {
  const auto plan = describe_method("predsim+mlm+lam");
  std::set<std::string> read_trunk;
  for (const auto& net : plan.nets) {
    if (net.trunk.empty()) continue;
    read_trunk.insert(net.name);
    EXPECT_NE(net.name.find("cascaded"), std::string::npos);
  }
  EXPECT_EQ(read_trunk.size(), 14U) << "two nets of modules 2 to 8";
  for (const auto& supervision : plan.supervisions) {
    if (supervision.name == "cascaded.similarity") {
      EXPECT_DOUBLE_EQ(supervision.weight, 0.999 * 0.99);
    }
    if (supervision.name == "independent.classifier") {
      EXPECT_NEAR(supervision.weight, 0.001 * 0.01, 1e-12);
    }
  }
}

TEST_F(Compositions, ThatMakeNoSenseAreRefused) {
  expect_user_error([] { find_method("e2e+lam"); },
                    {"e2e+lam", "e2e is not a host", "dgl", "infopro"});
  expect_user_error([] { find_method("checkpoint+mlm"); }, {"not a host"});
  expect_user_error([] { find_method("mlaan+mlm"); }, {"mlaan is not a host"});
  expect_user_error([] { find_method("dgl+mlm+mlm"); }, {"mlm is named twice"});
  expect_user_error([] { find_method("dgl+mlmm"); }, {"unknown addition 'mlmm'", "mlm"});
  expect_user_error([] { find_method("dgl+"); }, {"nothing follows"});
  expect_user_error([] { find_method("dlg+mlm"); }, {"unknown method 'dlg'", "dgl"});
  expect_user_error([&] { describe_method("infopro+man+lam"); }, {"man", "lam", "layer3.2"});
}

TEST_F(Compositions, WeightsOfInfoproAreLinearInTheModule) {
  OptionSet options;
  auto& infopro = options.get<InfoproOptions>();
  infopro.lambda1_first = 4;
  infopro.lambda1_last = 0;
  infopro.lambda2_first = 1;
  infopro.lambda2_last = 2.75;
  const auto plan = describe_method("infopro", options);
  std::vector<double> reconstruction;
  std::vector<double> task;
  for (const auto& supervision : plan.supervisions) {
    if (supervision.name == "local.reconstruction") reconstruction.push_back(supervision.weight);
    if (supervision.name == "local.classifier") task.push_back(supervision.weight);
  }
  ASSERT_EQ(task.size(), 8U);
  ASSERT_EQ(reconstruction.size(), 7U) << "no decoder where its weight is 0";
  for (std::size_t j = 0; j < task.size(); ++j) {
    EXPECT_DOUBLE_EQ(task[j], 1 + 0.25 * static_cast<double>(j));
  }
  for (std::size_t j = 0; j < reconstruction.size(); ++j) {
    EXPECT_NEAR(reconstruction[j], 4 - 4 * static_cast<double>(j) / 7, 1e-12);
  }
  EXPECT_DOUBLE_EQ((methods::WeightSchedule{3, 7}.at(0, 2)), 3) << "of two modules, the first pair";
}

TEST_F(Compositions, PublishedWeightsOfInfoproAreTaken) {
  const auto weights = [](const std::string& model, std::size_t modules) {
    return methods::infopro_weights(test_backbone(model, 0), modules, {});
  };
  EXPECT_EQ(weights("resnet32", 4).reconstruction.first, 6);
  EXPECT_EQ(weights("resnet32", 4).task.last, 2);
  EXPECT_EQ(weights("resnet110", 16).reconstruction.last, 0.5);
  EXPECT_EQ(weights("resnet32", 15).task.first, 0.05) << "those of 16 modules";
  EXPECT_EQ(weights("resnet32", 100).task.first, 0.05) << "those of the most modules";
}

TEST_F(Compositions, AuxiliaryParametersOfInfoproAreThoseOfTheSpecification) {
  const Backbone resnet32 = test_backbone("resnet32", 0);
  const Plan plan = methods::infopro(resnet32, default_partition(resnet32, 16));
  std::int64_t heads = 0;
  std::int64_t decoders = 0;
  for (const auto& net : nets(plan)) {
    if (net == resnet32.head()) continue;
    const bool decodes = net->name().find("reconstruction") != std::string::npos;
    (decodes ? decoders : heads) += element_count(net->named_parameters());
  }
  EXPECT_EQ(heads, 388374);
  EXPECT_EQ(decoders, 60741);
}

using Units = std::vector<std::size_t>;

TEST(Auglocal, ChoosesTheUnitsOfTheSpecification) {
  using methods::auglocal_units;
  EXPECT_EQ(auglocal_units(0, 16, 2, 0.5), (Units{8, 15}));
  EXPECT_EQ(auglocal_units(5, 16, 2, 0.5), (Units{10, 15}));
  EXPECT_EQ(auglocal_units(12, 16, 2, 0.5), (Units{14, 15}));
  EXPECT_EQ(auglocal_units(0, 55, 5, 0.5), (Units{11, 22, 32, 43, 54}));
  EXPECT_EQ(auglocal_units(25, 55, 5, 0.5), (Units{32, 40, 47, 54}));
  EXPECT_EQ(auglocal_units(25, 55, 5, 0).size(), 5U);
  EXPECT_EQ(auglocal_units(13, 16, 3, 0), (Units{14, 15})) << "all that are left";
  EXPECT_EQ(auglocal_units(0, 2, 1, 0.5), (Units{1}));
}

/// Modules whose nets have the same number of blocks.
struct Row {
  std::size_t blocks;
  std::size_t modules;
};

TEST(Auglocal, NetsShortenWhereThePublishedCodesDo) {
  // By the published formula, with the modules that its code makes: units less depth.
  const std::vector<std::tuple<std::size_t, std::int64_t, std::vector<Row>>> published{
      {16, 3, {{3, 6}, {2, 6}}},
      {16, 4, {{4, 4}, {3, 6}, {2, 1}}},
      {16, 5, {{5, 3}, {4, 4}, {3, 3}}},
      {16, 6, {{6, 2}, {5, 3}, {4, 4}}},
      {55, 3, {{3, 25}, {2, 26}}},
      {55, 4, {{4, 17}, {3, 32}, {2, 1}}},
      {55, 5, {{5, 12}, {4, 25}, {3, 12}}},
      {55, 6, {{6, 10}, {5, 19}, {4, 19}}}};
  for (const auto& [units, depth, rows] : published) {
    std::size_t unit = 0;
    for (const auto& row : rows) {
      for (std::size_t i = 0; i < row.modules; ++i, ++unit) {
        EXPECT_EQ(methods::auglocal_units(unit, units, depth, 0.5).size(), row.blocks)
            << units << " units, depth " << depth << ", module " << unit + 1;
      }
    }
    EXPECT_EQ(unit + 1 + static_cast<std::size_t>(depth), units);
  }
}

TEST_F(Compositions, AuglocalLeavesItsTailToTheLastModule) {
  AuglocalOptions options;
  options.depth = 3;
  EXPECT_EQ(methods::auglocal_partition(backbone, partition, options).size(), 6U)
      << "of 10 units in 9 modules the last holds 4";
  options.tail = 0;
  EXPECT_TRUE(methods::auglocal_partition(backbone, partition, options) == partition);
  options.tail = 8;
  expect_user_error([&] { methods::auglocal(backbone, partition, options); },
                    {"auglocal.tail", "at most 7"});
  options = {};
  options.depth = 9;
  expect_user_error([&] { methods::auglocal(backbone, partition, options); },
                    {"auglocal.depth = 9", "8 units", "resnet20"});
}

}  // namespace
}  // namespace mlaan::testing
