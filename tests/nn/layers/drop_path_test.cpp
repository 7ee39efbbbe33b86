#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"
#include "support/recomputation.h"
#include "support/test_backbone.h"

#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones/vision_transformer.h>
#include <mlaan/nn/layers/drop_path.h>
#include <mlaan/nn/layers/residual_blocks.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <map>
#include <memory>

namespace mlaan::testing {
namespace {

double share_of(const Unit& unit) {
  const auto* block = dynamic_cast<const DropsPath*>(unit.layers().back().module.ptr().get());
  return block == nullptr ? -1 : block->drop_path_share();
}

TEST(DropPath, SharesGrowEvenlyWithDepth) {
  const Backbone backbone = test_backbone("resnet14", 0);
  set_drop_path(backbone, 0.5);
  EXPECT_EQ(share_of(backbone.units()[0]), -1) << "the stem is no block";
  for (std::size_t block = 0; block < 6; ++block) {
    EXPECT_DOUBLE_EQ(share_of(backbone.units()[block + 1]), 0.1 * static_cast<double>(block));
  }
  EXPECT_DOUBLE_EQ(share_of(backbone.units()[6].clone("copy")), 0.5);
  EXPECT_DOUBLE_EQ(share_of(fresh_unit(backbone, 6, "fresh", 8, 2)), 0.5);
  set_drop_path(backbone, 0);
  EXPECT_DOUBLE_EQ(share_of(backbone.units()[6]), 0);
  const Backbone plain = make_backbone("vgg11b", 10, {3, 32, 32}, 0);
  expect_user_error([&] { set_drop_path(plain, 0.1); }, {"drop_path", "vgg11b"});
  EXPECT_NO_THROW(set_drop_path(plain, 0));
}

TEST(DropPath, IsSetByTheRun) {
  const auto last_share = [](const std::string& model, const std::string& setting) {
    const Settings config = configured({"model=" + model, setting});
    return share_of(make_backbone(config, 10, {3, 64, 64}).units().back());
  };
  EXPECT_DOUBLE_EQ(last_share("resnet8", "drop_path=0.3"), 0.3);
  EXPECT_DOUBLE_EQ(last_share("resnet8", "drop_path=-1"), 0);
  EXPECT_DOUBLE_EQ(last_share("convnext_tiny", "drop_path=-1"), 0.1);
  EXPECT_DOUBLE_EQ(last_share("convnext_tiny", "drop_path=0"), 0);
  EXPECT_DOUBLE_EQ(last_share("vit_tiny", "drop_path=0.2"), 0.2);
  expect_user_error([] { configured({"drop_path=1"}); }, {"drop_path", "below 1"});
  expect_user_error([] { configured({"drop_path=-0.5"}); }, {"drop_path", "-1"});
}

/// Which samples are as `left_out` says, and that all others are as `scaled`.
std::int64_t count_left_out(const torch::Tensor& output, const torch::Tensor& left_out,
                            const torch::Tensor& scaled) {
  std::int64_t count = 0;
  for (std::int64_t i = 0; i < output.size(0); ++i) {
    const bool is_out = torch::allclose(output[i], left_out[i], 1e-4, 1e-5);
    EXPECT_NE(is_out, torch::allclose(output[i], scaled[i], 1e-4, 1e-5)) << "sample " << i;
    count += is_out ? 1 : 0;
  }
  return count;
}

TEST(DropPath, LeavesOutTheBranchOfAShareOfTheSamples) {
  torch::manual_seed(1);
  BasicBlock block(4, 4, 1);
  const auto input = torch::randn({400, 4, 3, 3});
  std::map<std::string, std::shared_ptr<torch::nn::Module>> layers;
  for (const auto& child : block->named_children()) layers[child.key()] = child.value();
  const auto norm = [](const torch::Tensor& values) {
    return torch::batch_norm(values, torch::ones({4}), torch::zeros({4}), {}, {}, true, 0.1, 1e-5,
                             false);
  };
  const auto convolve = [&](const std::string& name, const torch::Tensor& values) {
    return layers.at(name)->as<torch::nn::Conv2d>()->forward(values);
  };
  const torch::NoGradGuard no_grad;
  const auto hidden = norm(convolve("conv1", input)).relu();
  const auto branch = norm(convolve("conv2", hidden));
  block->set_drop_path(0.25);
  const auto output = block->forward(input);
  const auto out = count_left_out(output, input.relu(), (input + branch / 0.75).relu());
  EXPECT_NEAR(static_cast<double>(out), 100, 4 * std::sqrt(400 * 0.25 * 0.75));
  EXPECT_FALSE(torch::equal(block->forward(input), output)) << "each pass draws anew";
  block->eval();
  expect_same(block->forward(input), block->forward(input), "in evaluation mode");
  const auto evaluated = block->forward(input);
  block->set_drop_path(0);
  expect_same(block->forward(input), evaluated, "in evaluation mode");
}

TEST(DropPath, OfATransformersBlockDrawsForEachBranch) {
  torch::manual_seed(1);
  EncoderBlock block = encoder_block(16, 2);
  const auto tokens = torch::randn({300, 5, 16});
  const torch::NoGradGuard no_grad;
  block->set_drop_path(0.5);
  const auto output = block->forward(tokens);
  const auto untouched = (output == tokens).flatten(1).all(1).sum().item<std::int64_t>();
  EXPECT_NEAR(static_cast<double>(untouched), 75, 4 * std::sqrt(300 * 0.25 * 0.75));
}

TEST(DropPath, IsRepeatedByRecomputation) {
  for (const std::string model : {"resnet8", "vit_tiny:depth=3"}) {
    const auto make = [&] {
      const Backbone backbone = test_backbone(model, 1);
      set_drop_path(backbone, 0.5);
      torch::manual_seed(7);
      return TrainingCase{backbone, methods::mlaan(backbone, default_partition(backbone, 3)),
                          torch::randn({4, 3, 32, 32}), torch::arange(4)};
    };
    expect_recomputation_is_exact(make, {}, model);
    EngineOptions cut;
    cut.micro_batches = 2;
    expect_recomputation_is_exact(make, cut, model + " in micro-batches");
  }
}

TEST(DropPath, ChangesWhatIsTrainedAndNotWhatIsPredicted) {
  const auto images = torch::randn({4, 3, 32, 32});
  std::vector<torch::Tensor> predicted;
  std::vector<torch::Tensor> losses;
  for (const double share : {0.0, 0.5}) {
    const Backbone backbone = test_backbone("resnet8", 1);
    set_drop_path(backbone, share);
    Engine engine(backbone, methods::dgl(backbone, default_partition(backbone, 3)));
    predicted.push_back(engine.predict(images));
    losses.push_back(engine.step(images, torch::arange(4)).losses);
  }
  expect_same(predicted[1], predicted[0], "logits");
  EXPECT_FALSE(torch::equal(losses[1], losses[0]));
}

}  // namespace
}  // namespace mlaan::testing
