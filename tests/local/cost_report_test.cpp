#include "support/test_backbone.h"

#include <mlaan/local/cost_report.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/published.h>

#include <gtest/gtest.h>

#include <map>

namespace mlaan::testing {
namespace {

CostReport report_of(const std::string& method, OptionSet& options) {
  const Backbone backbone = test_backbone("resnet20", 0);
  return cost_report(
      backbone, find_method(method).plan(backbone, default_partition(backbone, 0), options, 0));
}

TEST(CostReport, CountsEveryNetOnceAndHowOftenItRuns) {
  OptionSet options;
  options.get<LamOptions>().shared = true;
  options.get<LamOptions>().fraction = 0.5;
  std::map<std::string, NetCost> nets;
  for (auto& net : report_of("predsim+lam", options).nets) {
    EXPECT_TRUE(nets.emplace(net.name, net).second) << net.name << " twice";
  }
  // Modules 1 to 3 share the nets of module 3, and so on; module 9 has the backbone's head.
  ASSERT_EQ(nets.size(), 3U * 3 + 1);
  EXPECT_DOUBLE_EQ(nets.at("aux.3.local.trunk").runs, 1.5);
  EXPECT_TRUE(nets.at("aux.3.local.trunk").supervisions.empty());
  EXPECT_DOUBLE_EQ(nets.at("aux.3.local.similarity").runs, 1.5);
  EXPECT_EQ(nets.at("aux.3.local.similarity").supervisions.size(), 3U);
  EXPECT_DOUBLE_EQ(nets.at("aux.8.local.classifier").runs, 1);
  EXPECT_DOUBLE_EQ(nets.at("head").runs, 1);
}

TEST(CostReport, OfANetBehindATrunkIsOfWhatItReads) {
  OptionSet options;
  for (const auto& net : report_of("predsim+lam", options).nets) {
    // A convolution 3×3 of the 64×8×8 maps that all leap layers end with.
    if (net.name.find("similarity") == std::string::npos) continue;
    EXPECT_EQ(net.cost.parameters, 9 * 64 * 64);
    EXPECT_EQ(net.cost.multiply_adds, 9 * 64 * 64 * 8 * 8);
  }
}

TEST(CostReport, ForwardWorkOfMlaanIsThatOfTheSpecification) {
  const auto work_of_leap_nets = [](const std::string& twins) {
    const Backbone backbone = test_backbone("resnet32", 0);
    OptionSet options;
    options.get<LamOptions>().twins = twins;
    const Plan plan =
        find_method("mlaan").plan(backbone, default_partition(backbone, 15), options, 0);
    double work = 0;
    for (const auto& net : cost_report(backbone, plan).nets) {
      const bool cascaded = net.name.find("cascaded") != std::string::npos;
      if (cascaded) work += net.runs * static_cast<double>(net.cost.multiply_adds);
    }
    return work;
  };
  const double copies = work_of_leap_nets("none");
  EXPECT_NEAR(copies, 198.7e6, 0.1e6);
  EXPECT_NEAR(work_of_leap_nets("first") - copies, 51.9e6, 0.1e6);
}

}  // namespace
}  // namespace mlaan::testing
