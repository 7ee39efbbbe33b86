#include "support/closeness.h"
#include "support/errors.h"

#include <mlaan/train/linear_probe.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

constexpr std::int64_t probed_classes = 4;

/// Features that a linear classifier can tell apart: noise around one corner of a cube a class, far
/// from the origin and in very different scales.
struct Samples {
  explicit Samples(std::int64_t count) {
    torch::manual_seed(3);
    labels = torch::arange(count) % probed_classes;
    features = torch::randn({count, 6});
    features.slice(1, 0, probed_classes) += 12 * torch::one_hot(labels, probed_classes);
    features = features * torch::logspace(-3, 3, 6) + 50;
  }

  torch::Tensor features;
  torch::Tensor labels;
};

TEST(LinearProbe, TellsApartWhatALinearClassifierCan) {
  const Samples samples(800);
  const auto train = samples.features.slice(0, 0, 400);
  const auto held_out = samples.features.slice(0, 400);
  const LinearProbe probe = train_probe(train, samples.labels.slice(0, 0, 400), probed_classes);
  EXPECT_EQ(probe_error(probe, train, samples.labels.slice(0, 0, 400)), 0);
  EXPECT_EQ(probe_error(probe, held_out, samples.labels.slice(0, 400)), 0);
  const LinearProbe again = train_probe(train, samples.labels.slice(0, 0, 400), probed_classes);
  expect_same(again.weight, probe.weight, "a probe trained twice");
}

TEST(LinearProbe, FindsNothingInLabelsThatHaveNothingToDoWithTheFeatures) {
  const Samples samples(2000);
  const auto labels = samples.labels.index_select(0, torch::randperm(2000));
  const LinearProbe probe =
      train_probe(samples.features.slice(0, 0, 1000), labels.slice(0, 0, 1000), probed_classes);
  // Chance is 75 %; the standard deviation of an error measured on 1000 images is 1.4 %.
  EXPECT_NEAR(probe_error(probe, samples.features.slice(0, 1000), labels.slice(0, 1000)), 75, 7);
}

TEST(LinearProbe, ReachesTheMinimumOfItsObjective) {
  torch::manual_seed(5);
  const auto labels = torch::arange(300) % probed_classes;
  const auto features = torch::randn({300, 5}) + torch::one_hot(labels, 5).to(torch::kFloat32);
  const LinearProbe probe = train_probe(features, labels, probed_classes, {0.01, 500});
  auto weight = probe.weight.to(torch::kFloat64).requires_grad_(true);
  auto bias = probe.bias.to(torch::kFloat64).requires_grad_(true);
  const auto inputs = ((features - probe.mean) / probe.deviation).to(torch::kFloat64);
  const auto loss = torch::cross_entropy_loss(torch::addmm(bias, inputs, weight.t()), labels) +
                    0.5 * 0.01 * weight.square().sum();
  loss.backward();
  EXPECT_LT(weight.grad().abs().max().item<double>(), 1e-4);
  EXPECT_LT(bias.grad().abs().max().item<double>(), 1e-4);
  EXPECT_LT(loss.item<double>(), 0.95 * std::log(static_cast<double>(probed_classes)));
}

TEST(LinearProbe, FeaturesThatDoNotVaryDoNoHarm) {
  Samples samples(100);
  samples.features = torch::cat({samples.features, torch::full({100, 1}, 7.3)}, 1);
  const LinearProbe probe = train_probe(samples.features, samples.labels, probed_classes);
  EXPECT_TRUE(torch::isfinite(probe.weight).all().item<bool>());
  EXPECT_EQ(probe_error(probe, samples.features, samples.labels), 0);
  EXPECT_TRUE(std::isnan(
      probe_error(probe, samples.features.slice(0, 0, 0), samples.labels.slice(0, 0, 0))));
}

TEST(LinearProbe, MapsArePooledOverAGrid) {
  const auto map = torch::arange(2 * 3 * 4 * 4).reshape({2, 3, 4, 4}).to(torch::kFloat32);
  expect_same(pooled_features(map, 1), map.mean({2, 3}), "global average");
  const auto grid = pooled_features(map, 2);
  ASSERT_EQ(grid.sizes(), (torch::IntArrayRef{2, 12}));
  EXPECT_FLOAT_EQ(grid[1][4].item<float>(),
                  map[1][1].slice(0, 0, 2).slice(1, 0, 2).mean().item<float>());
  const auto rows = torch::randn({2, 5});
  const auto features = pooled_features(rows, 2);
  expect_same(features, rows, "what is no map");
  EXPECT_NE(features.data_ptr(), rows.data_ptr());
}

TEST(LinearProbe, SizesThatDoNotFitAreRefused) {
  const auto labels = torch::zeros({3}, torch::kInt64);
  expect_user_error([&] { train_probe(torch::zeros({4, 2}), labels, 2); }, {"3 labels"});
  expect_user_error(
      [&] {
        train_probe(torch::zeros({0, 2}), labels.slice(0, 0, 0), 2);
      },
      {"at least one"});
}

}  // namespace
}  // namespace mlaan::testing
