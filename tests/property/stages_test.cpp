// Trainings in stages: weights and losses are those of one process, bit for bit.
#include "support/stages.h"

#include "support/closeness.h"
#include "support/errors.h"
#include "support/random_chain.h"
#include "support/test_backbone.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/method.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/published.h>
#include <mlaan/local/recompute.h>
#include <mlaan/local/stage_schedule.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>

namespace mlaan::testing {
namespace {

using Trained = std::map<std::string, torch::Tensor>;

void add_all(Trained& trained, const std::vector<NamedTensor>& tensors) {
  for (const auto& named : tensors) trained[named.name] = named.tensor.detach().clone();
}

/// Steps with learning rates that differ. \return what the stage has: its weights, and the losses
/// of each step that it knows.
Trained train_stage(Engine& engine, const TrainingCase& made, int steps) {
  Trained trained;
  for (int step = 0; step < steps; ++step) {
    engine.set_learning_rate(0.1 / (step + 1));
    const StepResult result = engine.step(made.images, made.labels);
    for (std::size_t s = 0; s < engine.plan().supervisions.size(); ++s) {
      const std::size_t last = engine.plan().supervisions[s].last;
      if (engine.stages().of_module(last) != engine.stages().own) continue;
      trained["loss " + std::to_string(step) + "." + std::to_string(s)] =
          result.losses[static_cast<std::int64_t>(s)].nan_to_num().clone();
    }
    if (result.logits.defined()) trained["logits " + std::to_string(step)] = result.logits;
  }
  engine.finish_steps();
  add_all(trained, engine.tensors_of_stage(engine.stages().own));
  return trained;
}

/// Modules in equal numbers.
std::vector<std::size_t> even_split(std::size_t modules, std::size_t stages) {
  std::vector<std::size_t> first;
  for (std::size_t s = 0; s < stages; ++s) first.push_back(s * modules / stages);
  return first;
}

Trained train_in_stages(const std::function<TrainingCase()>& make, const EngineOptions& options,
                        std::size_t stages, int steps) {
  StageQueues queues(stages);
  std::vector<TrainingCase> cases;
  std::vector<std::unique_ptr<Engine>> engines;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    cases.push_back(make());
    EngineOptions of_stage = options;
    of_stage.stages = {even_split(cases.back().plan.partition.size(), stages), stage,
                       std::make_shared<QueueTransport>(queues)};
    engines.push_back(std::make_unique<Engine>(cases.back().backbone, cases.back().plan, of_stage));
  }
  Trained all;
  run_stages(stages, queues, [&](std::size_t stage) {
    const Trained own = train_stage(*engines[stage], cases[stage], steps);
    for (const auto& [name, tensor] : own) {
      EXPECT_TRUE(all.emplace(name, tensor).second) << name << " is of two stages";
    }
  });
  EXPECT_TRUE(options.twin_delay > 0 || queues.is_empty());
  return all;
}

void expect_same_as_one(const std::function<TrainingCase()>& make, const EngineOptions& options,
                        std::size_t stages, int steps, const std::string& what) {
  TrainingCase made = make();
  Engine one(made.backbone, made.plan, options);
  const Trained expected = train_stage(one, made, steps);
  const Trained actual = train_in_stages(make, options, stages, steps);
  EXPECT_EQ(actual.size(), expected.size()) << what;
  for (const auto& [name, tensor] : expected) {
    const auto found = actual.find(name);
    ASSERT_NE(found, actual.end()) << what << ", " << name;
    expect_same(found->second, tensor, what + ", " + name);
  }
}

TrainingCase case_of(const MethodEntry& entry, const std::string& recompute,
                     const std::string& model, std::size_t modules) {
  const Backbone backbone = test_backbone(model, 1);
  OptionSet defaults;
  Plan plan = entry.plan(backbone, Partition::uniform(backbone, modules), defaults, 0);
  set_recompute(plan, parse_recompute(recompute));
  torch::manual_seed(7);
  return {backbone, plan, torch::randn({4, 3, 32, 32}), torch::arange(4)};
}

/// At least four modules of a small network, trained by a method.
std::function<TrainingCase()> case_of(const MethodEntry& entry, const std::string& recompute) {
  return [entry, recompute] {
    TrainingCase made = case_of(entry, recompute, "resnet8", 4);
    // Some methods leave the last units in one piece.
    if (made.plan.partition.size() < 4) return case_of(entry, recompute, "resnet20", 10);
    return made;
  };
}

class OfAMethod : public ::testing::TestWithParam<std::string> {};

TEST_P(OfAMethod, AnyNumberOfStagesTrainsToTheSameBits) {
  const MethodEntry entry = find_method(GetParam());
  if (entry.phases) GTEST_SKIP() << "its phases are methods of their own";
  for (const std::size_t stages : {2, 3, 4}) {
    for (const std::int64_t delay : {0, 1, 2}) {
      EngineOptions options;
      options.seed = 3;
      options.twin_delay = delay;
      const std::string what = entry.name + " in " + std::to_string(stages) + " stages, twins " +
                               std::to_string(delay) + " late";
      expect_same_as_one(case_of(entry, "none"), options, stages, 4, what);
    }
  }
}

TEST_P(OfAMethod, SettingsDoNotMatterToThat) {
  const MethodEntry entry = find_method(GetParam());
  if (entry.phases) GTEST_SKIP() << "its phases are methods of their own";
  EngineOptions options;
  options.seed = 5;
  const auto expect = [&](const std::string& recompute, const std::string& what) {
    expect_same_as_one(case_of(entry, recompute), options, 3, 3, entry.name + ", " + what);
  };
  options.micro_batches = 2;
  expect("none", "micro-batches");
  options.micro_batches = 1;
  options.fused_update = false;
  expect("module", "updates at the end, modules recomputed");
  options.fused_update = true;
  options.overlaps_steps = false;
  expect("unit", "each step by itself, units recomputed");
  options.overlaps_steps = true;
  options.precision = Precision::bfloat16;
  options.boundaries = Precision::bfloat16;
  options.memory_format = torch::MemoryFormat::ChannelsLast;
  expect("activation", "bfloat16");
}

INSTANTIATE_TEST_SUITE_P(Stages, OfAMethod, ::testing::ValuesIn(method_registry().names()),
                         [](const auto& name) {
                           std::string text = name.param;
                           std::replace(text.begin(), text.end(), '-', '_');
                           return text;
                         });

TEST(Stages, TrainRandomPlansToTheSameBits) {
  int compared = 0;
  for (std::uint64_t key = 0; key < 60; ++key) {
    const auto make = [key] { return random_case(key, torch::kFloat32); };
    const std::size_t modules = make().plan.partition.size();
    for (const std::size_t stages : {2, 3, 4}) {
      if (modules < stages) continue;
      EngineOptions options;
      options.seed = key;
      options.micro_batches = key % 3 == 0 ? 2 : 1;
      try {
        expect_same_as_one(make, options, stages, 3,
                           "case " + std::to_string(key) + " in " + std::to_string(stages));
        ++compared;
      } catch (const UserError& error) {
        // A net that modules of two stages share.
        EXPECT_NE(std::string(error.what()).find("on two stages"), std::string::npos)
            << error.what();
      }
    }
  }
  EXPECT_GT(compared, 30);
}

TEST(Stages, TwinsThatFollowLateGoOnFromTheirState) {
  const auto make = case_of(find_method("mlaan"), "none");
  EngineOptions options;
  options.twin_delay = 2;
  const auto expected = [&] {
    TrainingCase made = make();
    Engine engine(made.backbone, made.plan, options);
    for (int step = 0; step < 5; ++step) engine.step(made.images, made.labels);
    Trained trained;
    add_all(trained, engine.named_parameters());
    return trained;
  }();
  TrainingCase before = make();
  Engine first(before.backbone, before.plan, options);
  for (int step = 0; step < 3; ++step) first.step(before.images, before.labels);
  const auto twins = first.twin_state();
  EXPECT_FALSE(twins.empty());
  const auto optimizers = optimizer_state(first.parts());
  // In two stages.
  StageQueues queues(2);
  Trained actual;
  std::vector<TrainingCase> cases;
  std::vector<std::unique_ptr<Engine>> engines;
  for (std::size_t stage = 0; stage < 2; ++stage) {
    cases.push_back(make());
    EngineOptions of_stage = options;
    of_stage.stages = {{0, 2}, stage, std::make_shared<QueueTransport>(queues)};
    engines.push_back(std::make_unique<Engine>(cases.back().backbone, cases.back().plan, of_stage));
    Engine& engine = *engines.back();
    const torch::NoGradGuard no_grad;
    const auto copy = [](const std::vector<NamedTensor>& from, const std::vector<NamedTensor>& to) {
      for (std::size_t i = 0; i < from.size(); ++i) to[i].tensor.detach().copy_(from[i].tensor);
    };
    copy(first.named_parameters(), engine.named_parameters());
    copy(first.named_buffers(), engine.named_buffers());
    set_optimizer_state(engine.parts(), optimizers);
    engine.set_twin_state(twins);
    engine.set_steps_done(first.steps_done());
  }
  run_stages(2, queues, [&](std::size_t stage) {
    for (int step = 0; step < 2; ++step) {
      engines[stage]->step(cases[stage].images, cases[stage].labels);
    }
    engines[stage]->finish_steps();
    add_all(actual, engines[stage]->tensors_of_stage(stage));
  });
  for (const auto& [name, tensor] : expected) expect_same(actual.at(name), tensor, name);
}

/// The stage's operations, those that are left to the next step in brackets.
std::vector<std::string> texts_of(const Engine& engine, const Stages& stages) {
  FollowedModules none;
  Engine one(engine.backbone(), engine.plan());
  const StageSchedule schedule =
      make_stage_schedule(one.schedule(), stages, none, /*delay=*/0, /*overlaps=*/true);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < schedule.operations.size(); ++i) {
    const std::string text = schedule.operations[i]->text();
    texts.push_back(schedule.late[i] ? "(" + text + ")" : text);
  }
  return texts;
}

TEST(Stages, GoOnWithTheNextBatchInsteadOfWaiting) {
  const auto made = case_of(find_method("mlm"), "none")();
  Engine engine(made.backbone, made.plan);
  Stages stages;
  stages.first_modules = {0, 2};
  // What waits for the second stage's cotangent is done right before module 2 is needed again.
  const auto first = texts_of(engine, stages);
  const auto at = [&](const std::string& text) {
    return std::find(first.begin(), first.end(), text) - first.begin();
  };
  const auto count = static_cast<std::ptrdiff_t>(first.size());
  ASSERT_LT(at("(update 2)"), count);
  EXPECT_EQ(at("(receive cotangent of 2 from group 2)") + 2, at("(update 2)"));
  EXPECT_EQ(at("(update 2)") + 1, at("forward 2"));
  EXPECT_EQ(at("forward 2") + 1, at("send output of 2"));
  EXPECT_EQ(std::count_if(first.begin(), first.end(),
                          [](const std::string& text) { return text.front() == '('; }),
            3);
  stages.own = 1;
  const auto second = texts_of(engine, stages);
  EXPECT_EQ(second.front(), "receive output of 2");
  for (const auto& text : second) EXPECT_NE(text.front(), '(') << text;
}

TEST(Stages, RefuseWhatNeedsAllGradients) {
  const auto made = case_of(find_method("e2e"), "none")();
  StageQueues queues(2);
  EngineOptions options;
  options.stages = {{0, 2}, 0, std::make_shared<QueueTransport>(queues)};
  options.clip_grad = 1;
  expect_user_error([&] { Engine(made.backbone, made.plan, options); },
                    {"clip_grad", "dist.stages = 1"});
  options.clip_grad = 0;
  options.loss_scale = LossScaleOptions{};
  expect_user_error([&] { Engine(made.backbone, made.plan, options); },
                    {"a loss scale", "dist.stages = 1"});
  options.loss_scale.reset();
  options.stages.first_modules = {0, 7};
  expect_user_error([&] { Engine(made.backbone, made.plan, options); }, {"8", "of 4"});
}

}  // namespace
}  // namespace mlaan::testing
