#include "dist/gradient_buckets.h"
#include "support/closeness.h"
#include "support/configured.h"
#include "support/ranks.h"
#include "support/turns.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

Settings settings_of(const std::string& method, const std::vector<std::string>& more = {}) {
  return configured({"model=resnet8", "method=" + method, "engine.memory_format=channels_last",
                     "augment.label_smoothing=0.1"},
                    more);
}

Engine make_engine(const Settings& config, const std::function<void(EngineOptions&)>& adapt) {
  Backbone backbone = make_backbone(config, 10, {3, 32, 32});
  backbone.set_normalisation({{0, 0, 0}, {1, 1, 1}});
  Plan plan = make_plan(config, backbone, config.get<RunOptions>().method);
  EngineOptions options = make_engine_options(config);
  adapt(options);
  return Engine(std::move(backbone), std::move(plan), std::move(options));
}

struct Batches {
  explicit Batches(std::vector<std::int64_t> sizes) {
    torch::manual_seed(3);
    for (const auto size : sizes) {
      images.push_back(torch::randn({size, 3, 32, 32}));
      labels.push_back(torch::randint(10, {size}, torch::kInt64));
    }
  }
  std::vector<torch::Tensor> images;
  std::vector<torch::Tensor> labels;
};

/// As many ranks as threads train on their shares of the batches.
std::vector<std::vector<torch::Tensor>> train_in_ranks(const Settings& config, int ranks,
                                                       const Batches& batches,
                                                       std::int64_t bucket_bytes) {
  std::vector<std::vector<torch::Tensor>> results(static_cast<std::size_t>(ranks));
  std::mutex computing;
  run_ranks(ranks, [&](ProcessGroup& group) {
    std::unique_lock<std::mutex> turn(computing);
    Engine engine = make_engine(config, [&](EngineOptions& options) {
      options.reducer = std::make_shared<TurnTakingReducer>(
          std::make_unique<GradientBuckets>(group, bucket_bytes), turn);
      options.replica = group.rank();
      options.replicas = ranks;
    });
    for (std::size_t b = 0; b < batches.images.size(); ++b) {
      const auto images = batches.images[b].tensor_split(ranks)[group.rank()];
      const auto labels = batches.labels[b].tensor_split(ranks)[group.rank()];
      engine.set_batch_share(static_cast<double>(labels.size(0)) /
                             static_cast<double>(batches.labels[b].size(0)));
      engine.step(images, labels);
    }
    turn.unlock();
    for (const auto& named : engine.named_parameters()) {
      results[static_cast<std::size_t>(group.rank())].push_back(named.tensor.detach());
    }
  });
  return results;
}

std::vector<NamedTensor> train_alone(const Settings& config, std::int64_t micro_batches,
                                     const Batches& batches) {
  Engine engine =
      make_engine(config, [&](EngineOptions& options) { options.micro_batches = micro_batches; });
  for (std::size_t b = 0; b < batches.images.size(); ++b) {
    engine.step(batches.images[b], batches.labels[b]);
  }
  return engine.named_parameters();
}

/// Two ranks against one process with two micro-batches: bit for bit.
void expect_equal_to_one_process(const std::string& method,
                                 const std::vector<std::string>& more = {},
                                 std::int64_t bucket_bytes = 100000) {
  SCOPED_TRACE(method);
  const Batches batches({8, 8, 7});
  const Settings config = settings_of(method, more);
  const auto alone = train_alone(config, 2, batches);
  const auto ranks = train_in_ranks(config, 2, batches, bucket_bytes);
  ASSERT_EQ(ranks[0].size(), alone.size());
  for (std::size_t i = 0; i < alone.size(); ++i) {
    expect_same(ranks[0][i], alone[i].tensor, "rank 0, " + alone[i].name);
    expect_same(ranks[1][i], alone[i].tensor, "rank 1, " + alone[i].name);
  }
}

TEST(DataParallel, TwoRanksAreOneProcessWithTwoMicroBatches) {
  for (const auto& method : method_registry().entries()) {
    if (method.plan) expect_equal_to_one_process(method.name);
  }
}

TEST(DataParallel, AlsoWithOtherOptions) {
  expect_equal_to_one_process("mlaan", {"optimizer.clip_grad=0.5"}, 1);
  expect_equal_to_one_process("e2e", {"optimizer.clip_grad=0.5", "optimizer.type=adamw"});
  expect_equal_to_one_process("mlm", {"engine.recompute=unit", "engine.fused_update=false"},
                              1 << 30);
  expect_equal_to_one_process("dgl", {"engine.precision=bfloat16", "optimizer.type=lamb"});
}

TEST(DataParallel, FourRanksAreOneProcessToRounding) {
  const Batches batches({8, 10});
  const Settings config = settings_of("mlaan");
  const auto alone = train_alone(config, 4, batches);
  const auto ranks = train_in_ranks(config, 4, batches, 1 << 20);
  for (std::size_t i = 0; i < alone.size(); ++i) {
    expect_close(ranks[0][i], alone[i].tensor, 1e-5, alone[i].name);
    expect_same(ranks[3][i], ranks[0][i], alone[i].name);
  }
}

TEST(DataParallel, LoadersGiveSharesOfOneOrder) {
  const Settings config = settings_of("dgl", {"procedural.train_size=22", "batch_size=4"});
  const DataSource data = make_data(config);
  const auto indices = all_indices(*data.train);
  const Settings whole_config = settings_of("dgl", {"procedural.train_size=22", "batch_size=8"});
  const auto whole = make_train_loader(whole_config, data, indices);
  const auto first = make_train_loader(config, data, indices, {}, {0, 2});
  const auto second = make_train_loader(config, data, indices, {}, {1, 2});
  ASSERT_EQ(first->batches_per_epoch(), whole->batches_per_epoch());
  EXPECT_EQ(first->samples_per_epoch(), 16);
  for (auto* loader : {whole.get(), first.get(), second.get()}) loader->start(3);
  while (const auto batch = whole->next()) {
    const auto left = first->next();
    const auto right = second->next();
    ASSERT_TRUE(left && right);
    EXPECT_EQ(left->whole_size, 8);
    expect_same(torch::cat({left->indices, right->indices}), batch->indices, "order");
    expect_same(torch::cat({left->images, right->images}), batch->images, "augmentation");
  }
  EXPECT_FALSE(first->next());
}

TEST(DataParallel, TheOnlyBatchIsDividedWhereItIsNotFull) {
  const Settings config = settings_of("dgl", {"procedural.train_size=5", "batch_size=4"});
  const DataSource data = make_data(config);
  const auto loader = [&](std::int64_t index) {
    auto made = make_train_loader(config, data, all_indices(*data.train), {}, {index, 2});
    made->start(0);
    return made;
  };
  const auto first = loader(0)->next();
  const auto second = loader(1)->next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(first->labels.size(0), 3);
  EXPECT_EQ(second->labels.size(0), 2);
  EXPECT_EQ(first->whole_size, 5);
}

}  // namespace
}  // namespace mlaan::testing
