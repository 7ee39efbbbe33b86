#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/test_backbone.h"

#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trained_network.h>
#include <mlaan/train/trainer.h>
#include <mlaan/train/weight_average.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <cmath>

namespace mlaan::testing {
namespace {

WeightAverageOptions averaging(double decay, bool warmup) {
  WeightAverageOptions options;
  options.enabled = true;
  options.decay = decay;
  options.warmup = warmup;
  return options;
}

torch::Tensor named(const std::vector<NamedTensor>& tensors, const std::string& name) {
  for (const auto& tensor : tensors) {
    if (tensor.name == name) return tensor.tensor;
  }
  return {};
}

TEST(WeightAverage, MovesTowardsTheWeights) {
  const torch::NoGradGuard no_grad;
  const Backbone backbone = test_backbone("resnet8", 0);
  WeightAverage average(backbone, averaging(0.75, /*warmup=*/false));
  const torch::Tensor weight = named(backbone.named_parameters(), "conv1.weight");
  const torch::Tensor mean = named(backbone.named_buffers(), "bn1.running_mean");
  torch::Tensor count = named(backbone.named_buffers(), "bn1.num_batches_tracked");
  const torch::Tensor start = weight.clone();
  weight.add_(1);
  torch::Tensor(mean).fill_(8);
  count.fill_(5);
  average.update(1);
  average.update(2);
  const auto state = average.state();
  // 1 − 0.75² of the way.
  EXPECT_TRUE(torch::allclose(named(state, "model_ema.conv1.weight"), start + 0.4375));
  EXPECT_TRUE(
      torch::allclose(named(state, "model_ema.bn1.running_mean"), torch::full_like(mean, 3.5)));
  EXPECT_EQ(named(state, "model_ema.bn1.num_batches_tracked").item<std::int64_t>(), 5);
}

TEST(WeightAverage, WarmsUp) {
  const auto options = averaging(0.9, /*warmup=*/true);
  EXPECT_DOUBLE_EQ(decay_at(options, 7), 0.75);  // 1 − 8^(−2/3)
  EXPECT_DOUBLE_EQ(decay_at(options, 1000000), 0.9);
  EXPECT_DOUBLE_EQ(decay_at(averaging(0.9, false), 7), 0.9);
}

TEST(WeightAverage, StandsInForTheWeightsWithinAScope) {
  const torch::NoGradGuard no_grad;
  const Backbone backbone = test_backbone("resnet8", 0);
  const WeightAverage average(backbone, averaging(0.9, false));
  const torch::Tensor weight = named(backbone.named_parameters(), "conv1.weight");
  const torch::Tensor start = weight.clone();
  weight.add_(1);
  const void* memory = weight.data_ptr();
  {
    const AveragedWeightsScope scope(average);
    EXPECT_TRUE(torch::equal(weight, start));
  }
  EXPECT_TRUE(torch::equal(weight, start + 1));
  EXPECT_EQ(weight.data_ptr(), memory);
}

Settings run_of(const std::vector<std::string>& more = {}) {
  return configured(
      {"model=resnet8", "epochs=2", "batch_size=8", "procedural.train_size=50",
       "procedural.test_size=20", "validation.fraction=0.2", "method=mlaan",
       "engine.memory_format=channels_last", "model_ema.enabled=true", "model_ema.decay=0.9"},
      more);
}

TEST(WeightAverage, IsEvaluatedBesideTheWeightsAndChangesNothing) {
  const TemporaryFolder folder;
  const Settings averaged = run_of();
  Trainer with(averaged, make_data(averaged), folder / "with");
  const TrainSummary summary = with.run();
  EXPECT_FALSE(std::isnan(summary.average_test_error));
  EXPECT_FALSE(std::isnan(summary.average_validation_error));
  const Settings plain = run_of({"model_ema.enabled=false"});
  Trainer without(plain, make_data(plain), folder / "without");
  const TrainSummary other = without.run();
  EXPECT_TRUE(std::isnan(other.average_test_error));
  EXPECT_EQ(other.test_error, summary.test_error);
  const auto left = with.engine().named_parameters();
  const auto right = without.engine().named_parameters();
  for (std::size_t i = 0; i < left.size(); ++i) {
    EXPECT_TRUE(torch::equal(left[i].tensor, right[i].tensor)) << left[i].name;
  }
  // What eval takes of it is what was tested.
  const Checkpoint checkpoint = read_checkpoint(last_checkpoint(folder / "with"));
  const Backbone network =
      read_backbone(checkpoint, averaged.with("model_ema.use", "true", "a test"));
  const auto saved = named(checkpoint.file.tensors, "model_ema.conv1.weight");
  EXPECT_TRUE(torch::equal(named(network.named_parameters(), "conv1.weight"), saved));
  const Checkpoint none = read_checkpoint(last_checkpoint(folder / "without"));
  expect_user_error([&] { read_backbone(none, plain.with("model_ema.use", "true", "a test")); },
                    {"model_ema.conv1.weight"});
}

TEST(WeightAverage, GoesOnBitForBit) {
  const TemporaryFolder folder;
  const auto final_average = [&](const std::string& name, int stop_after) {
    for (int part = 0; part < 2; ++part) {
      const Settings config = run_of();
      Trainer trainer(config, make_data(config), folder / name);
      if (part > 0) trainer.resume(read_checkpoint(last_checkpoint(folder / name)));
      int steps = 0;
      const auto stop = [&] { return part == 0 && ++steps == stop_after; };
      if (trainer.run(stop).complete) break;
    }
    return read_checkpoint(last_checkpoint(folder / name)).file.tensors;
  };
  const auto whole = final_average("whole", -1);
  for (const int steps : {3, 5, 7}) {
    const auto resumed = final_average(std::to_string(steps), steps);
    ASSERT_EQ(resumed.size(), whole.size());
    for (std::size_t i = 0; i < whole.size(); ++i) {
      EXPECT_TRUE(torch::equal(resumed[i].tensor, whole[i].tensor)) << whole[i].name;
    }
  }
}

}  // namespace
}  // namespace mlaan::testing
