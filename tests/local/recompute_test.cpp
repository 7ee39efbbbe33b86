#include "support/test_backbone.h"

#include <mlaan/local/method.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace mlaan::testing {
namespace {

Recompute default_of(const std::string& method, std::size_t modules) {
  const Backbone backbone = test_backbone("resnet14", 1);
  OptionSet options;
  return default_recompute(
      find_method(method).plan(backbone, default_partition(backbone, modules), options, 0));
}

TEST(DefaultRecompute, IsOfActivationsWhereTheNetworkIsCut) {
  const std::set<std::string> whole{"e2e", "checkpoint"};
  for (const auto& name : method_registry().names()) {
    EXPECT_EQ(default_of(name, 3), whole.count(name) > 0 ? Recompute::none : Recompute::activations)
        << name;
  }
  EXPECT_EQ(default_of("greedy", 1), Recompute::none);
}

}  // namespace
}  // namespace mlaan::testing
