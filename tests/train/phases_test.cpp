#include "support/closeness.h"
#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"
#include "support/test_backbone.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/local/handover.h>
#include <mlaan/local/optimizer_state.h>
#include <mlaan/local/published.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/plan_file.h>
#include <mlaan/train/planner.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/trainer.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

class Phases : public ::testing::Test {
 protected:
  std::string file_of(const std::string& name, const std::string& text) const {
    const auto path = folder / (name + ".toml");
    write_text(path, text);
    return path.string();
  }

  static std::string phase(const std::string& name, double share, const std::string& method) {
    return "[[phase]]\nname = \"" + name + "\"\nshare = " + std::to_string(share) +
           "\nmethod = \"" + method + "\"\n";
  }

  /// 3 epochs of 4 steps.
  static Settings run_of(const std::string& method, const std::vector<std::string>& more = {}) {
    auto settings = more;
    settings.push_back("method=" + method);
    return configured({"model=resnet8", "epochs=3", "batch_size=8", "procedural.train_size=40",
                       "procedural.test_size=16", "validation.fraction=0.2",
                       "engine.memory_format=channels_last"},
                      settings);
  }

  static std::vector<NamedTensor> tensors_of(const Engine& engine) {
    std::vector<NamedTensor> tensors;
    for (const auto& list :
         {engine.named_parameters(), engine.named_buffers(), optimizer_state(engine.parts())}) {
      for (const auto& named : list) {
        tensors.push_back({named.name, named.tensor.detach().clone()});
      }
    }
    return tensors;
  }

  std::vector<NamedTensor> train(const std::string& name, const Settings& config) const {
    Trainer trainer(config, make_data(config), folder / name);
    EXPECT_TRUE(trainer.run().complete);
    return tensors_of(trainer.engine());
  }

  static void expect_same_tensors(const std::vector<NamedTensor>& left,
                                  const std::vector<NamedTensor>& right) {
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      ASSERT_EQ(left[i].name, right[i].name);
      expect_same(left[i].tensor, right[i].tensor, left[i].name);
    }
  }

  TemporaryFolder folder;
};

TEST_F(Phases, OfOneMethodTwiceTrainWhatTheMethodTrains) {
  // Everything goes on: parameters, momentum, rate, order of images, dropout.
  for (const std::string method : {"e2e", "mlm", "predsim"}) {
    const std::string file =
        file_of(method, phase("first", 0.4, method) + phase("then", 0.6, method));
    const std::vector<std::vector<std::string>> optimizers{
        {"optimizer.type=sgd"},
        {"optimizer.type=adamw"},
        {"optimizer.type=sgd", "optimizer.state=8bit", "optimizer.layer_decay=0.8"},
        {"optimizer.type=adamw", "optimizer.state=8bit", "optimizer.decay_norms=false"},
        {"optimizer.type=lamb", "drop_path=0.4"}};
    for (std::size_t i = 0; i < optimizers.size(); ++i) {
      auto more = optimizers[i];
      more.emplace_back("lr=0.01");
      const std::string name = method + std::to_string(i);
      expect_same_tensors(train(name, run_of(file, more)),
                          train(name + "-plain", run_of(method, more)));
    }
  }
}

TEST_F(Phases, ChangeWhatTrains) {
  const std::string file =
      file_of("change", phase("local", 0.5, "dgl") + phase("whole", 0.5, "checkpoint"));
  const auto phased = train("phased", run_of(file));
  const auto whole = train("whole", run_of("e2e"));
  ASSERT_EQ(phased.size(), whole.size());  // the nets are gone
  EXPECT_FALSE(torch::equal(phased[0].tensor, whole[0].tensor));
}

TEST_F(Phases, AStoppedRunGoesOnToTheSameNetworkFromEveryStep) {
  const std::string file =
      file_of("three", phase("local", 0.34, "mlaan") + phase("other", 0.33, "dgl") +
                           phase("whole", 0.33, "checkpoint"));
  const auto whole = train("whole", run_of(file));
  for (int steps = 1; steps < 12; ++steps) {
    const auto run_folder = folder / std::to_string(steps);
    {
      const Settings config = run_of(file);
      Trainer trainer(config, make_data(config), run_folder);
      int count = 0;
      EXPECT_FALSE(trainer.run([&] { return ++count >= steps; }).complete);
    }
    const Settings config = run_of(file);
    Trainer trainer(config, make_data(config), run_folder);
    trainer.resume(read_checkpoint(last_checkpoint(run_folder)));
    EXPECT_TRUE(trainer.run().complete);
    expect_same_tensors(tensors_of(trainer.engine()), whole);
  }
}

TEST_F(Phases, TellTheirPeaksAndBeginnings) {
  const std::string file =
      file_of("peaks", phase("whole", 0.5, "e2e") + phase("local", 0.5, "dgl"));
  class Listener : public TrainObserver {
   public:
    void on_phase(const PhaseReport& phase) override { begun.push_back(phase.name); }
    std::vector<std::string> begun;
  } listener;
  const Settings config = run_of(file);
  Trainer trainer(config, make_data(config), folder / "run");
  trainer.add_observer(listener);
  const TrainSummary summary = trainer.run();
  EXPECT_EQ(listener.begun, (std::vector<std::string>{"local"}));
  const auto phases = trainer.report().phases;
  ASSERT_EQ(phases.size(), 2u);
  EXPECT_GT(phases[1].peak_bytes, 0);
  EXPECT_LT(phases[1].peak_bytes, phases[0].peak_bytes);
  EXPECT_EQ(summary.peak_bytes, phases[0].peak_bytes);
}

TEST_F(Phases, AreBenchedAndPlannedByTheirFattest) {
  const std::string file =
      file_of("planned", phase("whole", 0.25, "e2e") + phase("local", 0.75, "dgl"));
  const auto silent = [](const std::string&) {};
  const Settings config = run_of(file);
  BenchmarkOptions options;
  options.methods = {file, "dgl"};
  options.repeats = 1;
  const auto results = run_benchmark(config, options, silent);
  ASSERT_EQ(results.size(), 3u);  // the reference in front
  const BenchmarkResult& phased = results[1];
  ASSERT_EQ(phased.phases.size(), 2u);
  EXPECT_EQ(phased.peak_bytes, results[0].peak_bytes);
  EXPECT_EQ(phased.phases[1].peak_bytes, results[2].peak_bytes);
  EXPECT_NEAR(static_cast<double>(phased.multiply_adds),
              0.25 * static_cast<double>(results[0].multiply_adds) +
                  0.75 * static_cast<double>(results[2].multiply_adds),
              1);
  const Settings planned = run_of(file);
  PlanReport report = plan_training(planned, make_data(planned), 0, /*rivals=*/false, silent);
  measure_settings(planned, report, silent);
  for (const auto& setting : report.settings) {
    const double ratio =
        static_cast<double>(setting.peak_bytes) / static_cast<double>(*setting.measured_peak_bytes);
    EXPECT_GE(ratio, 0.98);
    EXPECT_LE(ratio, 1.05);
  }
}

TEST_F(Phases, OfTheRunsOwnPlanFileTrainTheSame) {
  const std::string file =
      file_of("own", phase("local", 0.5, "mlaan:mlm.window=1") +
                         phase("whole", 0.5, "checkpoint:engine.recompute=unit"));
  const auto first = train("run", run_of(file));
  const auto again = train("again", run_of((folder / "run" / "plan.toml").string()));
  expect_same_tensors(again, first);
}

TEST_F(Phases, AreRefusedWithTheReason) {
  const auto refuse = [&](const std::string& text, const std::vector<std::string>& parts) {
    const std::string file = file_of("refused", text);
    expect_user_error(
        [&] {
          const Settings config = run_of(file);
          training_phases(config, method_named(file));
        },
        parts);
  };
  refuse(phase("a", 0.5, "dgl"), {"add up to 0.5", "1"});
  refuse(phase("a", 0.5, "dgl") + phase("a", 0.5, "mlm"), {"phase 'a'", "another"});
  refuse(phase("a", 0, "dgl") + phase("b", 1, "mlm"), {"phase 'a'", "above 0"});
  refuse(phase("a", 1, "dlg"), {"refused.toml:4", "unknown method 'dlg'", "dgl"});
  refuse(phase("a", 1, "dgl:batch_size=3"), {"refused.toml:4", "batch_size"});
  refuse(phase("a", 1, "dgl") + "settings = [\"lr=1\"]\n", {"phase a", "'lr'", "one phase"});
  refuse(phase("a", 1, "dgl") + "settings = [\"lr\"]\n", {"refused.toml:5", "assignment"});
  refuse(phase("a", 1, "dgl") + "modules = []\n", {"refused.toml:5", "modules"});
  refuse(phase("a", 1, "dgl") + "[[net]]\n", {"unknown key of the plan 'net'"});
  const std::string inner = file_of("inner", phase("a", 1, "dgl"));
  refuse(phase("b", 1, inner), {"phase 'b'", "has phases itself"});
}

TEST(PhaseSteps, BelongToOnePhaseEach) {
  std::vector<TrainingPhase> phases(3);
  phases[0].end = phases[1].begin = 0.25;
  phases[1].end = phases[2].begin = 0.26;
  const auto of = [&](std::int64_t step, std::int64_t steps) {
    return phase_of_step(phases, step, steps);
  };
  EXPECT_EQ(of(0, 10), 0u);
  EXPECT_EQ(of(2, 10), 0u);
  EXPECT_EQ(of(3, 10), 2u);  // the middle one is shorter than a step
  EXPECT_EQ(of(24, 100), 0u);
  EXPECT_EQ(of(25, 100), 1u);
  EXPECT_EQ(of(26, 100), 2u);
  EXPECT_EQ(of(100, 100), 2u);
  EXPECT_DOUBLE_EQ(progress_in_phase(phases[0], 10, 80), 0.5);
  EXPECT_DOUBLE_EQ(progress_in_phase(phases[2], 63, 100), 0.5);
}

TEST(WeightCourse, GoesFromTheFirstToTheLast) {
  Supervision supervision;
  supervision.weight = 2;
  EXPECT_DOUBLE_EQ(weight_at(supervision, 0.7), 2);
  supervision.final_weight = 1;
  supervision.course = WeightCourse::linear;
  EXPECT_DOUBLE_EQ(weight_at(supervision, 0), 2);
  EXPECT_DOUBLE_EQ(weight_at(supervision, 0.25), 1.75);
  EXPECT_DOUBLE_EQ(weight_at(supervision, 1), 1);
  supervision.course = WeightCourse::cosine;
  EXPECT_NEAR(weight_at(supervision, 1.0 / 3), 1.75, 1e-12);
  EXPECT_DOUBLE_EQ(weight_at(supervision, 0.5), 1.5);
  EXPECT_DOUBLE_EQ(weight_at(supervision, 1), 1);
  EXPECT_DOUBLE_EQ(highest_weight(supervision), 2);
  supervision.final_weight = 3;
  EXPECT_DOUBLE_EQ(highest_weight(supervision), 3);
}

/// Parameters after a step of a plan whose cascaded supervisions have a weight by `set`.
std::vector<torch::Tensor> stepped(const std::function<void(Supervision&)>& set, double progress) {
  const Backbone backbone = test_backbone("resnet8", 0);
  OptionSet options;
  Plan plan = find_method("mlaan").plan(backbone, default_partition(backbone, 3), options, 1);
  for (auto& supervision : plan.supervisions) {
    if (supervision.name == "independent" && supervision.net != backbone.head()) set(supervision);
  }
  Engine engine(backbone, plan);
  engine.set_progress(progress);
  torch::manual_seed(0);
  const StepResult result = engine.step(torch::randn({4, 3, 32, 32}), torch::tensor({1, 2, 3, 4}));
  EXPECT_EQ(engine.steps_done(), 1);
  std::vector<torch::Tensor> tensors{result.losses};
  for (const auto& named : engine.named_parameters()) {
    tensors.push_back(named.tensor.detach().clone());
  }
  return tensors;
}

TEST(WeightCourse, IsTheWeightOfTheStep) {
  const auto course = [](Supervision& supervision) {
    supervision.weight = 0.5;
    supervision.final_weight = 0;
    supervision.course = WeightCourse::linear;
  };
  for (const double progress : {0.0, 0.5, 1.0}) {
    const auto left = stepped(course, progress);
    const auto right =
        stepped([&](Supervision& supervision) { supervision.weight = 0.5 * (1 - progress); }, 0);
    ASSERT_EQ(left.size(), right.size());
    for (std::size_t i = 0; i < left.size(); ++i) {
      EXPECT_TRUE(torch::allclose(left[i], right[i], 0, 0, /*equal_nan=*/true)) << i;
    }
  }
}

TEST(WeightCourse, StandsInPlanFiles) {
  const Backbone backbone = test_backbone("resnet8", 0);
  OptionSet options;
  Plan plan = find_method("dgl").plan(backbone, default_partition(backbone, 3), options, 1);
  plan.supervisions[0].course = WeightCourse::cosine;
  plan.supervisions[0].final_weight = 0.25;
  plan.net_learning_rates = {0.5, 1, 1};
  const TemporaryFolder folder;
  const auto path = folder / "plan.toml";
  const std::string text = plan_text(describe(plan, backbone), backbone);
  write_text(path, text);
  const PlanDescription read = read_plan(path, backbone);
  EXPECT_EQ(read.supervisions[0].course, WeightCourse::cosine);
  EXPECT_DOUBLE_EQ(read.supervisions[0].final_weight, 0.25);
  EXPECT_DOUBLE_EQ(read.nets[0].learning_rate, 0.5);
  EXPECT_EQ(build_plan(read, backbone, 1).net_learning_rates, plan.net_learning_rates);
  EXPECT_EQ(plan_text(read, backbone), text);
  const auto refuse = [&](const std::string& weight, const std::vector<std::string>& parts) {
    std::string changed = text;
    const auto at = changed.find("weight = ");
    changed.replace(at, changed.find('\n', at) - at, "weight = " + weight);
    write_text(path, changed);
    expect_user_error([&] { build_plan(read_plan(path, backbone), backbone, 1); }, parts);
  };
  refuse("{ from = 1.0, to = 0.5, course = \"liner\" }", {"liner", "linear"});
  refuse("{ from = 1.0, to = 0.5 }", {"course"});
  refuse("{ from = 1.0, to = -0.5, course = \"linear\" }", {"-0.5", "at least 0"});
}

TEST(NetLearningRates, AreFactorsOfTheNetsAlone) {
  // One step of plain gradient descent goes as far as the rate.
  const auto moved = [](double factor) {
    const Backbone backbone = test_backbone("resnet8", 0);
    OptionSet options;
    Plan plan = find_method("dgl").plan(backbone, default_partition(backbone, 3), options, 1);
    scale_net_learning_rates(plan, backbone, factor);
    EngineOptions engine_options;
    engine_options.optimizer = sgd({1, 0, 0, false});
    Engine engine(backbone, plan, engine_options);
    engine.set_learning_rate(0.125);
    std::vector<NamedTensor> before;
    for (const auto& named : engine.named_parameters()) {
      before.push_back({named.name, named.tensor.detach().clone()});
    }
    torch::manual_seed(0);
    engine.step(torch::randn({4, 3, 32, 32}), torch::tensor({1, 2, 3, 4}));
    std::map<std::string, torch::Tensor> by_name;
    const auto after = engine.named_parameters();
    for (std::size_t i = 0; i < after.size(); ++i) {
      by_name[after[i].name] = after[i].tensor.detach() - before[i].tensor;
    }
    return by_name;
  };
  const auto whole = moved(1);
  const auto half = moved(0.5);
  for (const auto& [name, step] : whole) {
    const bool of_net = name.compare(0, 4, "aux.") == 0;
    const torch::Tensor expected = of_net ? step * 0.5 : step;
    EXPECT_TRUE(torch::allclose(half.at(name), expected, 1e-3, 1e-7)) << name;
  }
}

}  // namespace
}  // namespace mlaan::testing
