#include "support/errors.h"

#include <mlaan/nn/backbones/vgg.h>
#include <mlaan/nn/layers/fresh_block.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

Backbone make(const std::string& name, const Shape& input_shape) {
  return make_backbone(name, 10, input_shape, 0);
}

TEST(PredsimVgg, ParametersAreThePapers) {
  // "8.9M" and "11.6M" for CIFAR-10, "7.3M" for Fashion-MNIST.
  EXPECT_EQ(element_count(make("vgg8b", {3, 32, 32}).named_parameters()), 8'900'234);
  EXPECT_EQ(element_count(make("vgg11b", {3, 32, 32}).named_parameters()), 11'555'978);
  EXPECT_EQ(element_count(make("vgg8b", {1, 28, 28}).named_parameters()), 7'325'066);
}

TEST(PredsimVgg, UnitsAreConvolutionsWithTheirPoolingsAndADenseLayer) {
  const Backbone backbone = make("vgg8b", {3, 32, 32});
  ASSERT_EQ(backbone.size(), 7U);
  EXPECT_EQ(backbone.units().front().name(), "features.0");
  EXPECT_EQ(backbone.output_shape(0), (Shape{128, 32, 32}));
  EXPECT_EQ(backbone.output_shape(1), (Shape{256, 16, 16}));
  EXPECT_EQ(backbone.output_shape(5), (Shape{512, 2, 2}));
  EXPECT_EQ(backbone.units().back().name(), "fc1");
  EXPECT_EQ(backbone.output_shape(6), (Shape{1024}));
}

TEST(PredsimVgg, ActivationsLeak) {
  const Backbone backbone = make("vgg8b", {3, 32, 32});
  torch::manual_seed(1);
  const auto output = backbone.units().front().forward(torch::randn({2, 3, 32, 32}));
  EXPECT_LT(output.min().item<double>(), 0);
  EXPECT_GT(output.min().item<double>(), -0.1);
}

TEST(PredsimVgg, DropoutIsASetting) {
  const auto zeros = [](const std::string& name) {
    torch::manual_seed(1);
    const auto output =
        make(name, {3, 32, 32}).units().front().forward(torch::randn({2, 3, 32, 32}));
    return (output == 0).to(torch::kDouble).mean().item<double>();
  };
  EXPECT_EQ(zeros("vgg8b"), 0);
  EXPECT_NEAR(zeros("vgg8b:dropout=0.25"), 0.25, 0.01);
}

TEST(PredsimVgg, PicturesTooSmallAreRefused) {
  expect_user_error([] { make("vgg8b", {3, 8, 8}); }, {"vgg8b", "3×8×8"});
}

TEST(PredsimVgg, DenseUnitsTakePooledMaps) {
  const Backbone backbone = make("vgg8b", {3, 32, 32});
  torch::manual_seed(1);
  const auto small = torch::randn({3, 512, 1, 1});
  EXPECT_TRUE(torch::equal(backbone.units().back().forward(small),
                           backbone.units().back().forward(small.expand({3, 512, 2, 2}))));
}

TEST(Vgg, AFreshUnitHalvesByItsStrideInsteadOfItsPooling) {
  const Backbone backbone = make("vgg8b", {3, 32, 32});
  const Unit fresh = fresh_unit(backbone, 1, "fresh", 3, 4);
  EXPECT_EQ(fresh.forward(torch::zeros({2, 3, 32, 32})).sizes(), (Shape{2, 256, 8, 8}));
  const Unit dense = fresh_unit(backbone, 6, "dense", 3, 1);
  EXPECT_EQ(dense.forward(torch::zeros({2, 3, 32, 32})).sizes(), (Shape{2, 1024}));
}

}  // namespace
}  // namespace mlaan::testing
