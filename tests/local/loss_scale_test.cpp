#include "local/loss_scale.h"

#include "support/closeness.h"
#include "support/temporary_folder.h"
#include "support/test_backbone.h"

#include <mlaan/local/methods/dgl.h>
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/published.h>
#include <mlaan/nn/backbones.h>
#include <mlaan/train/checkpoint.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <limits>

namespace mlaan::testing {
namespace {

double value_of(const Engine& engine) {
  for (const auto& named : engine.loss_scale_state()) {
    if (named.name == "loss_scale.value") return named.tensor.item<double>();
  }
  return 0;
}

EngineOptions scaled(const LossScaleOptions& scale = {}) {
  EngineOptions options;
  options.loss_scale = scale;
  return options;
}

void step(Engine& engine) {
  torch::manual_seed(7);
  const auto images = torch::randn({8, 3, 32, 32});
  engine.step(images, torch::arange(8));
}

TEST(LossScale, GrowsAfterFiniteStepsAndBacksOffAfterOthers) {
  LossScaleOptions options;
  options.initial = 8;
  options.growth_interval = 2;
  LossScale scale(options);
  const auto finite = [] { return torch::full({3}, 16.0F); };
  const auto gradient = finite();
  EXPECT_TRUE(scale.unscale({gradient}));
  expect_same(gradient, torch::full({3}, 2.0F), "unscaled gradient");
  scale.finish_step();
  EXPECT_EQ(scale.value(), 8);
  EXPECT_TRUE(scale.unscale({finite()}));
  scale.finish_step();
  EXPECT_EQ(scale.value(), 16);

  for (const float bad :
       {std::numeric_limits<float>::infinity(), std::numeric_limits<float>::quiet_NaN()}) {
    LossScale moved(options);
    EXPECT_TRUE(moved.unscale({finite()}));
    moved.finish_step();
    EXPECT_FALSE(moved.unscale({finite(), torch::tensor({1.0F, bad})}));
    EXPECT_TRUE(moved.unscale({finite()})) << "each part is judged by itself";
    moved.finish_step();
    EXPECT_EQ(moved.value(), 4) << "one part is enough";
    moved.finish_step();
    EXPECT_EQ(moved.value(), 4) << "counting began anew";
    moved.finish_step();
    EXPECT_EQ(moved.value(), 8);
  }
}

TEST(LossScale, ChangesNothingWhereNothingOverflows) {
  for (const bool fused : {false, true}) {
    std::vector<std::vector<NamedTensor>> networks;
    for (const bool with : {false, true}) {
      const Backbone backbone = test_backbone("resnet8", 1);
      EngineOptions options = with ? scaled() : EngineOptions();
      options.fused_update = fused;
      Engine engine(backbone, methods::mlaan(backbone, default_partition(backbone, 3)), options);
      for (int i = 0; i < 3; ++i) step(engine);
      EXPECT_EQ(value_of(engine), with ? 65536 : 0);
      networks.push_back(engine.named_parameters());
    }
    for (std::size_t i = 0; i < networks[0].size(); ++i) {
      expect_same(networks[1][i].tensor, networks[0][i].tensor, networks[0][i].name);
    }
  }
}

/// A loss whose gradient is finite, but not when scaled by 65536.
LossPtr nearly_overflowing() {
  return std::make_shared<const Loss>(Loss{
      "large", [](const torch::Tensor& output, const Targets&) { return output.sum() * 1e35F; }});
}

TEST(LossScale, OnlyPartsWhoseGradientsOverflowAreSkipped) {
  for (const bool fused : {false, true}) {
    const Backbone backbone = test_backbone("resnet8", 1);
    Plan plan = methods::dgl(backbone, default_partition(backbone, 3));
    EngineOptions options = scaled();
    options.fused_update = fused;
    Engine engine(backbone, plan, options);
    step(engine);
    ASSERT_EQ(value_of(engine), 65536);

    plan.supervisions[1].loss = nearly_overflowing();
    Engine bad(backbone, plan, options);
    set_optimizer_state(bad.parts(), optimizer_state(engine.parts()));
    const auto copy = [](const std::vector<NamedTensor>& tensors) {
      std::vector<torch::Tensor> copies;
      for (const auto& named : tensors) copies.push_back(named.tensor.detach().clone());
      return copies;
    };
    std::vector<std::vector<torch::Tensor>> parameters;
    for (const auto& part : bad.parts()) parameters.push_back(copy(part.parameters));
    const auto momenta = copy(optimizer_state(bad.parts()));
    step(bad);
    EXPECT_EQ(value_of(bad), 32768);
    std::size_t momentum = 0;
    const auto momenta_now = optimizer_state(bad.parts());
    ASSERT_EQ(momenta_now.size(), momenta.size());
    for (std::size_t p = 0; p < bad.parts().size(); ++p) {
      const auto& part = bad.parts()[p];
      const bool skipped = part.name == "module 2" || part.name == "aux.2.local";
      for (std::size_t i = 0; i < part.parameters.size(); ++i, ++momentum) {
        const auto& named = part.parameters[i];
        EXPECT_EQ(torch::equal(named.tensor, parameters[p][i]), skipped) << named.name;
        EXPECT_EQ(torch::equal(momenta_now[momentum].tensor, momenta[momentum]), skipped)
            << named.name;
        EXPECT_TRUE(torch::isfinite(named.tensor).all().item<bool>()) << named.name;
        EXPECT_FALSE(named.tensor.grad().defined()) << "the gradient is dropped all the same";
      }
    }
  }
}

TEST(LossScale, GoesOnFromACheckpointAsIfNothingHadHappened) {
  const TemporaryFolder folder;
  const auto make = [](const Backbone& backbone, bool with = true) {
    LossScaleOptions often;
    often.growth_interval = 2;
    return Engine(backbone, methods::dgl(backbone, default_partition(backbone, 3)),
                  with ? scaled(often) : EngineOptions());
  };
  const auto path = folder / "checkpoint.safetensors";
  const Backbone whole = test_backbone("resnet8", 1);
  Engine engine = make(whole);
  for (int i = 0; i < 3; ++i) step(engine);
  CheckpointInfo info;
  info.model = "resnet8";
  info.classes = 2;
  info.class_names = {"cat", "dog"};
  info.state.step = 3;
  write_checkpoint(path, engine, info);
  step(engine);
  EXPECT_EQ(value_of(engine), 4 * 65536.0) << "at the fourth step, because the third was counted";

  const Backbone resumed = test_backbone("resnet8", 1);
  Engine second = make(resumed);
  load(read_checkpoint(path), second);
  EXPECT_EQ(value_of(second), 2 * 65536.0);
  step(second);
  EXPECT_EQ(value_of(second), 4 * 65536.0);
  for (std::size_t i = 0; i < whole.named_parameters().size(); ++i) {
    expect_same(resumed.named_parameters()[i].tensor, whole.named_parameters()[i].tensor,
                whole.named_parameters()[i].name);
  }

  const Backbone plain = test_backbone("resnet8", 1);
  Engine without = make(plain, /*with=*/false);
  EXPECT_NO_THROW(load(read_checkpoint(path), without));
  write_checkpoint(path, without, info);
  load(read_checkpoint(path), second);
  EXPECT_EQ(value_of(second), 65536) << "a checkpoint without a scale lets it begin anew";
}

}  // namespace
}  // namespace mlaan::testing
