#include "dist/gradient_buckets.h"
#include "dist/group_peers.h"
#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"
#include "support/ranks.h"

#include <mlaan/local/engine.h>
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

Settings joint_settings(const std::string& method, const std::vector<std::string>& more = {}) {
  return configured({"model=resnet8", "method=" + method, "engine.memory_format=channels_last"},
                    more);
}

/// An engine in float64, so that what differs by more than rounding shows.
Engine wide_engine(const Settings& config, const std::function<void(EngineOptions&)>& adapt) {
  Backbone backbone = make_backbone(config, 10, {3, 32, 32});
  backbone.set_normalisation({{0, 0, 0}, {1, 1, 1}});
  Plan plan = make_plan(config, backbone, config.get<RunOptions>().method);
  backbone.to(torch::kFloat64);
  for (const auto& net : nets(plan)) {
    for (const auto& unit : net->units()) unit.to(torch::kFloat64);
  }
  EngineOptions options = make_engine_options(config);
  adapt(options);
  return Engine(std::move(backbone), std::move(plan), std::move(options));
}

struct WideBatch {
  torch::Tensor images;
  torch::Tensor labels;
};

std::vector<WideBatch> wide_batches() {
  torch::manual_seed(3);
  std::vector<WideBatch> batches;
  for (const std::int64_t size : {8, 7}) {
    batches.push_back({torch::randn({size, 3, 32, 32}, torch::kFloat64),
                       torch::randint(10, {size}, torch::kInt64)});
  }
  return batches;
}

/// Parameters, buffers and losses that a training comes to.
struct WideTraining {
  std::vector<NamedTensor> tensors;
  std::vector<torch::Tensor> losses;
};

WideTraining trained_with(Engine& engine, std::vector<torch::Tensor> losses) {
  WideTraining trained{engine.named_parameters(), std::move(losses)};
  for (const auto& named : engine.named_buffers()) trained.tensors.push_back(named);
  return trained;
}

WideTraining trained_alone(const Settings& config, const std::vector<WideBatch>& batches) {
  Engine engine = wide_engine(config, [](EngineOptions&) {});
  std::vector<torch::Tensor> losses;
  for (const auto& batch : batches)
    losses.push_back(engine.step(batch.images, batch.labels).losses);
  return trained_with(engine, std::move(losses));
}

std::vector<WideTraining> trained_jointly(const Settings& config, int ranks,
                                          const std::vector<WideBatch>& batches) {
  std::vector<WideTraining> trained(static_cast<std::size_t>(ranks));
  std::mutex making;  // networks are made by a generator that the threads share
  run_ranks(ranks, [&](ProcessGroup& group) {
    std::unique_lock<std::mutex> lock(making);
    Engine engine = wide_engine(config, [&](EngineOptions& options) {
      options.reducer = std::make_shared<GradientBuckets>(group, 100000);
      options.replica = group.rank();
      options.replicas = ranks;
      options.peers = std::make_shared<GroupPeers>(group);
      options.joint_statistics = config.get<DistOptions>().sync_batch_norm;
      options.joint_losses = config.get<DistOptions>().gather_losses;
    });
    lock.unlock();
    group.highest(0, "networks that are made");  // steps set the generator, too
    std::vector<torch::Tensor> losses;
    for (const auto& batch : batches) {
      const auto labels = batch.labels.tensor_split(ranks)[group.rank()];
      const double share =
          static_cast<double>(labels.size(0)) / static_cast<double>(batch.labels.size(0));
      engine.set_batch_share(share);
      losses.push_back(engine.step(batch.images.tensor_split(ranks)[group.rank()], labels).losses *
                       share);
      group.sum(losses.back(), "losses");
    }
    trained[static_cast<std::size_t>(group.rank())] = trained_with(engine, std::move(losses));
  });
  return trained;
}

/// Ranks with joint statistics and losses against one process that has each batch in one piece.
void expect_equal_to_whole_batch(const std::string& method, int ranks = 2,
                                 const std::vector<std::string>& more = {}) {
  SCOPED_TRACE(method);
  const auto batches = wide_batches();
  const WideTraining alone = trained_alone(joint_settings(method, more), batches);
  std::vector<std::string> joint{"dist.sync_batch_norm=true", "dist.gather_losses=true"};
  joint.insert(joint.end(), more.begin(), more.end());
  const auto trained = trained_jointly(joint_settings(method, joint), ranks, batches);
  for (const auto& rank : trained) {
    ASSERT_EQ(rank.tensors.size(), alone.tensors.size());
    for (std::size_t i = 0; i < alone.tensors.size(); ++i) {
      expect_close(rank.tensors[i].tensor, alone.tensors[i].tensor, 1e-10, alone.tensors[i].name);
    }
    for (std::size_t i = 0; i < alone.losses.size(); ++i) {
      const auto there = torch::isfinite(alone.losses[i]);
      EXPECT_TRUE(torch::equal(torch::isfinite(rank.losses[i]), there)) << "what is evaluated";
      expect_close(rank.losses[i].index({there}), alone.losses[i].index({there}), 1e-10, "losses");
    }
  }
}

TEST(JointBatch, TwoRanksAreOneProcessWithTheWholeBatch) {
  for (const std::string method : {"e2e", "dgl", "mlm", "mlaan", "predsim"}) {
    expect_equal_to_whole_batch(method);
  }
  // Which supervisions a step evaluates is drawn, and has to be drawn alike.
  expect_equal_to_whole_batch("infopro+mlm+lam", 2, {"infopro.loss=contrast"});
}

TEST(JointBatch, AlsoWithRecomputationAndMoreRanks) {
  expect_equal_to_whole_batch("e2e", 3);
  expect_equal_to_whole_batch("mlm", 2, {"engine.recompute=unit"});
  expect_equal_to_whole_batch("dgl", 2, {"engine.recompute=module"});
  expect_equal_to_whole_batch("mlaan", 2, {"engine.recompute=activation"});
}

TEST(JointBatch, WithoutTheSettingsRanksSeeTheirOwnImages) {
  const auto batches = wide_batches();
  const auto settings = joint_settings("dgl");
  const WideTraining alone = trained_alone(settings, batches);
  const auto trained = trained_jointly(settings, 2, batches);
  double furthest = 0;
  for (std::size_t i = 0; i < alone.tensors.size(); ++i) {
    furthest = std::max(furthest,
                        relative_difference(trained[0].tensors[i].tensor, alone.tensors[i].tensor));
  }
  EXPECT_GT(furthest, 1e-4);
}

TEST(JointBatch, NeedsPeers) {
  EXPECT_THROW(wide_engine(joint_settings("dgl"),
                           [](EngineOptions& options) { options.joint_losses = true; }),
               Error);
}

}  // namespace
}  // namespace mlaan::testing
