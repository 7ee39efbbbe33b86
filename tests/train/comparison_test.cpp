#include "support/configured.h"
#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/log/comparison_report.h>
#include <mlaan/log/summary.h>
#include <mlaan/nn/unit.h>
#include <mlaan/train/compared_methods.h>
#include <mlaan/train/comparison.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <cmath>
#include <set>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

class ComparisonTest : public ::testing::Test {
 protected:
  /// Runs of 2 epochs of 5 steps.
  static Settings settings(const std::vector<std::string>& more = {}) {
    return configured({"model=resnet8", "epochs=2", "batch_size=8", "procedural.train_size=50",
                       "procedural.test_size=20", "validation.fraction=0.2",
                       "engine.memory_format=channels_last"},
                      more);
  }

  /// Counts steps by their reports, which come with every one.
  class StepCounter : public TrainObserver {
   public:
    explicit StepCounter(int& steps) : steps_(steps) {}
    void on_steps(const StepReport& /*report*/) override { ++steps_; }

   private:
    int& steps_;
  };

  ComparisonRecords records() {
    ComparisonRecords records;
    records.read = [](const fs::path& run) -> std::optional<TrainSummary> {
      if (!fs::exists(run / "summary.json")) return std::nullopt;
      TrainSummary summary = read_summary(run / "summary.json");
      if (!summary.complete) return std::nullopt;
      return summary;
    };
    records.write = [](const fs::path& run, const Settings& config, const TrainSummary& summary) {
      write_summary(run / "summary.json", config, {summary});
    };
    records.observers = [this](const fs::path&) {
      std::vector<std::unique_ptr<TrainObserver>> observers;
      observers.push_back(std::make_unique<StepCounter>(steps));
      return observers;
    };
    return records;
  }

  std::vector<FinishedRun> compare(const std::string& name, const std::vector<std::string>& more,
                                   const std::function<bool()>& should_stop = {}) {
    const Settings config = settings(more).with("log.steps", "1", "a test");
    return run_comparison(config, make_data(config),
                          compared_runs({"e2e", "mlm:modules=2"}, {0, 1}, folder / name), records(),
                          should_stop);
  }

  TemporaryFolder folder;
  int steps = 0;
};

TEST_F(ComparisonTest, FoldersAreSafeAndDistinct) {
  EXPECT_EQ(run_folder_name("infopro+mlm+lam", 3), "infopro+mlm+lam-seed3");
  EXPECT_EQ(run_folder_name("mlm:mlm.window=3:modules=2", 0), "mlm,mlm.window=3,modules=2-seed0");
  std::set<std::string> names;
  const std::string long_text(300, 'a');
  const std::vector<std::string> specs{"a/b.toml",      "a%2Fb.toml", "./a.toml",  "..", "a:b",
                                       "a,b",           "a b",        "a_b",       "é",  long_text,
                                       long_text + "b", "a:b=\"c\"",  "../../../a"};
  for (const auto& spec : specs) {
    const std::string name = run_folder_name(spec, 0);
    names.insert(name);
    EXPECT_EQ(name.find_first_of("/\\ \"'*?<>|:"), std::string::npos) << name;
    EXPECT_NE(name[0], '.') << name;
    EXPECT_LT(name.size(), 220U);
  }
  EXPECT_EQ(names.size(), specs.size());
}

TEST_F(ComparisonTest, ListsAreReadAndChecked) {
  EXPECT_EQ(parse_seeds("0,12,-3"), (std::vector<std::int64_t>{0, 12, -3}));
  expect_user_error([] { parse_seeds("0,one"); }, {"0,one", "'one'", "whole numbers"});
  expect_user_error([] { parse_seeds(""); }, {"''", "0,1,2"});
  expect_user_error([] { parse_seeds("1,"); }, {"''"});
  expect_user_error([] { compared_runs({}, {0}, ""); }, {"methods"});
  expect_user_error([] { compared_runs({"e2e"}, {}, ""); }, {"seeds"});
  expect_user_error([] { compared_runs({"e2e", "dgl", "e2e"}, {0}, ""); }, {"'e2e'", "twice"});
  expect_user_error([] { compared_runs({"e2e"}, {4, 0, 4}, ""); }, {"4", "twice"});
  expect_user_error([] { compared_runs({"e2e", "dlg"}, {0}, ""); }, {"'dlg'"});

  const auto runs = compared_runs({"e2e", "dgl"}, {0, 1}, "out");
  ASSERT_EQ(runs.size(), 4U);
  EXPECT_EQ(runs[1].folder, fs::path("out") / "dgl-seed0");
  EXPECT_EQ(runs[2].seed, 1) << "whole pairs first";
}

TEST_F(ComparisonTest, AFinishedRunIsWhatTheTrainerMakesOfItsSettings) {
  const auto finished = compare("whole", {});
  ASSERT_EQ(finished.size(), 4U);
  const Settings config = settings({"method=mlm", "modules=2", "seed=1"});
  Trainer trainer(config, make_data(config), folder / "alone");
  const TrainSummary alone = trainer.run();
  const TrainSummary& compared = finished[3].summary;
  EXPECT_EQ(compared.run.method, "mlm");
  EXPECT_EQ(compared.run.modules, 2);
  EXPECT_DOUBLE_EQ(compared.test_loss, alone.test_loss);
  EXPECT_DOUBLE_EQ(compared.validation_error, alone.validation_error);
  EXPECT_NE(finished[1].summary.test_loss, compared.test_loss) << "another seed";
}

TEST_F(ComparisonTest, AStoppedComparisonGoesOnToTheSameNumbers) {
  const auto whole = compare("whole", {});
  ASSERT_EQ(whole.size(), 4U);
  EXPECT_EQ(steps, 40);
  // Runs of ten steps: the first stop is within the second run, the second stop within the third.
  steps = 0;
  EXPECT_EQ(compare("stopped", {}, [this] { return steps >= 12; }).size(), 1U);
  EXPECT_LT(steps, 20);
  EXPECT_EQ(compare("stopped", {}, [this] { return steps >= 23; }).size(), 2U);
  const auto resumed = compare("stopped", {});
  EXPECT_EQ(steps, 40) << "no step twice";
  ASSERT_EQ(resumed.size(), 4U);
  for (std::size_t i = 0; i < whole.size(); ++i) {
    EXPECT_DOUBLE_EQ(resumed[i].summary.test_loss, whole[i].summary.test_loss) << i;
    EXPECT_DOUBLE_EQ(resumed[i].summary.test_error, whole[i].summary.test_error) << i;
    EXPECT_DOUBLE_EQ(resumed[i].summary.validation_error, whole[i].summary.validation_error) << i;
  }
  compare("stopped", {});
  EXPECT_EQ(steps, 40) << "what is finished is not trained again";
}

TEST_F(ComparisonTest, FoldersOfOtherSettingsAreRefused) {
  const auto runs = compared_runs({"e2e"}, {0}, folder / "runs");
  const auto ask = [&](const std::vector<std::string>& more) {
    const Settings config = settings(more);
    run_comparison(config, make_data(config), runs, records());
  };
  ask({});
  const std::string name = "e2e-seed0";
  expect_user_error([&] { ask({"epochs=3"}); }, {name, "epochs = 2", "3"});
  expect_user_error([&] { ask({"lr=0.05"}); }, {name, "lr = 0.1", "0.05"});
  expect_user_error([&] { ask({"procedural.test_size=30"}); }, {"procedural.test_size = 20", "30"});
  expect_user_error([&] { ask({"engine.memory_format=contiguous"}); },
                    {"engine.memory_format", "channels_last", "contiguous"});
  steps = 0;
  ask({"workers=0", "save.every=2e", "engine.memory_format=auto"});
  EXPECT_EQ(steps, 0) << "the finished run stands";
  fs::remove(runs[0].folder / "config.toml");
  expect_user_error([&] { ask({}); }, {name, "config.toml"});
  expect_user_error([&] { ask({"memory=1GiB"}); }, {"memory", "1GiB"});
  expect_user_error([&] { ask({"baseline=e2e"}); }, {"baseline", "e2e"});
}

TEST_F(ComparisonTest, RunsTakeTheLayoutThatRunsBeforeHaveSettledOn) {
  const auto ask = [&](const std::vector<std::string>& specs, const std::string& format) {
    const Settings config = settings({"engine.memory_format=" + format, "epochs=1"});
    run_comparison(config, make_data(config), compared_runs(specs, {0}, folder / "runs"),
                   records());
  };
  ask({"e2e"}, "contiguous");
  ask({"dgl", "e2e"}, "auto");
  const Settings recorded = read_settings(folder / "runs" / "dgl-seed0" / "config.toml");
  EXPECT_EQ(recorded.get<ExecutionOptions>().memory_format, "contiguous");
}

FinishedRun made_up(const ComparedRun& run, double validation, double test, double speed,
                    std::int64_t peak) {
  FinishedRun finished{run, {}};
  TrainSummary& summary = finished.summary;
  summary.complete = true;
  summary.reported = "last";
  summary.validation_error = validation;
  summary.test_error = test;
  summary.images_per_second = speed;
  summary.seconds = 1000 / speed;
  summary.peak_bytes = peak;
  summary.run.parameters = 100;
  summary.run.auxiliary_parameters = run.spec.text == "e2e" ? 0 : 50;
  return finished;
}

TEST_F(ComparisonTest, RunsAreBroughtTogetherBySpec) {
  const auto runs = compared_runs({"e2e", "dgl", "mlm"}, {0, 1, 2}, "out");
  const double nothing = std::nan("");
  const std::vector<FinishedRun> finished{
      made_up(runs[0], nothing, 10, 100, 1000), made_up(runs[1], nothing, 11, 50, 500),
      made_up(runs[3], nothing, 20, 300, 1000), made_up(runs[4], nothing, 22, 50, 600),
      made_up(runs[6], nothing, 30, 200, 1000), made_up(runs[7], nothing, 33, 50, 400)};
  const std::vector<ForwardWork> work{{1000, 0}, {1000, 500}, {1000, 250}};
  const auto methods = compare_methods(runs, finished, work);
  ASSERT_EQ(methods.size(), 2U) << "mlm has no finished run";
  EXPECT_DOUBLE_EQ(methods[0].test_error.mean, 20);
  EXPECT_DOUBLE_EQ(methods[0].test_error.deviation, 10);
  EXPECT_DOUBLE_EQ(methods[0].images_per_second, 200);
  EXPECT_FALSE(methods[0].test_difference.has_value());
  const ComparedMethod& dgl = methods[1];
  EXPECT_EQ(dgl.seeds, (std::vector<std::int64_t>{0, 1, 2}));
  EXPECT_DOUBLE_EQ(dgl.test_error.mean, 22);
  EXPECT_DOUBLE_EQ(dgl.test_difference->difference, 2);
  EXPECT_NEAR(dgl.test_difference->p, 0.0741799, 1e-6);
  EXPECT_EQ(dgl.test_difference->pairs, 3);
  EXPECT_TRUE(std::isnan(dgl.validation_error.mean));
  EXPECT_TRUE(std::isnan(dgl.validation_difference->p));
  EXPECT_EQ(dgl.peak_bytes, 600);
  EXPECT_DOUBLE_EQ(dgl.peak_ratio, 0.6);
  EXPECT_DOUBLE_EQ(dgl.parameter_ratio, 1.5);
  EXPECT_DOUBLE_EQ(dgl.work_ratio, 1.5);
  EXPECT_DOUBLE_EQ(dgl.speed_ratio, 0.25);

  const ComparisonReport report{runs, finished, methods};
  EXPECT_FALSE(report.complete());
  const std::string table = comparison_table(report);
  for (const char* part : {"22.00 ± 11.00", "+2.00", "0.074", "last epoch", "0.600"}) {
    EXPECT_NE(table.find(part), std::string::npos) << part << " is not in\n" << table;
  }
  write_comparison(folder / "comparison.json", report);
  const auto json = nlohmann::json::parse(read_text(folder / "comparison.json"));
  EXPECT_EQ(json["complete"], false);
  EXPECT_EQ(json["methods"][1]["test_difference"]["pairs"], 3);
  EXPECT_TRUE(json["methods"][1]["validation_error"]["mean"].is_null());
  EXPECT_EQ(json["runs"].size(), 6U);
  EXPECT_EQ(json["runs"][5]["seed"], 2);
}

TEST_F(ComparisonTest, OnlySeedsThatBothHaveArePaired) {
  const auto runs = compared_runs({"e2e", "dgl"}, {0, 1}, "out");
  const std::vector<FinishedRun> finished{
      made_up(runs[0], 5, 10, 1, 1), made_up(runs[1], 7, 11, 1, 1), made_up(runs[3], 9, 99, 1, 1)};
  const auto methods = compare_methods(runs, finished, {{1, 0}, {1, 0}});
  EXPECT_EQ(methods[1].test_difference->pairs, 1);
  EXPECT_DOUBLE_EQ(methods[1].test_difference->difference, 1);
  EXPECT_DOUBLE_EQ(methods[1].validation_difference->difference, 2);
  EXPECT_TRUE(std::isnan(methods[1].test_difference->p));
}

TEST_F(ComparisonTest, WorkIsThatOfOneImageForward) {
  const auto work_of = [](const std::string& method) {
    const Settings config = settings({"model=resnet32", "modules=15", "method=" + method});
    return forward_work(config, make_data(config));
  };
  const ForwardWork end_to_end = work_of("e2e");
  EXPECT_NEAR(static_cast<double>(end_to_end.backbone), 69.12e6, 0.05e6);
  EXPECT_EQ(end_to_end.nets, 0);
  EXPECT_EQ(work_of("dgl").backbone, end_to_end.backbone);
  EXPECT_GT(work_of("dgl").nets, 0);
  const Settings config = settings({"method=mlaan"});
  const double all = forward_work(config, make_data(config)).nets;
  const Settings seldom = config.with("lam.fraction", "0.5", "a test");
  const double half = forward_work(seldom, make_data(seldom)).nets;
  EXPECT_LT(half, all);
  EXPECT_GT(half, 0.4 * all);
}

TEST_F(ComparisonTest, SummariesAreReadAsTheyWereWritten) {
  const Settings config = settings();
  TrainSummary summary =
      made_up(compared_runs({"dgl"}, {0}, "")[0], std::nan(""), 12.5, 3, 7).summary;
  summary.run.method = "dgl";
  summary.run.epochs = 9;
  write_summary(folder / "summary.json", config, {summary});
  const TrainSummary read = read_summary(folder / "summary.json");
  EXPECT_TRUE(read.complete);
  EXPECT_TRUE(std::isnan(read.validation_error));
  EXPECT_DOUBLE_EQ(read.test_error, 12.5);
  EXPECT_EQ(read.run.epochs, 9);
  EXPECT_EQ(read.run.method, "dgl");
  EXPECT_EQ(read.peak_bytes, 7);
  write_text(folder / "summary.json", R"({"method": "dgl"})");
  expect_user_error([&] { read_summary(folder / "summary.json"); },
                    {"summary.json", "not a summary"});
  write_text(folder / "summary.json", "half");
  expect_user_error([&] { read_summary(folder / "summary.json"); },
                    {"summary.json", "not a summary"});
}

TEST_F(ComparisonTest, GoesOnWithOtherLogs) {
  const Settings begun = settings();
  write_text(folder / "config.toml", begun.to_toml());
  const Settings logged = settings({"log.tensorboard=true", "log.steps=7", "model_ema.use=true"});
  EXPECT_NO_THROW(with_recorded_settings(folder.path(), logged));
  const Settings other = settings({"model_ema.enabled=true"});
  expect_user_error([&] { with_recorded_settings(folder.path(), other); },
                    {"model_ema.enabled = false", "true"});
}

TEST_F(ComparisonTest, OfEqualTimeGivesEpochsByWhatStepsTake) {
  auto runs = compared_runs({"e2e", "mlm", "mlaan"}, {0, 1}, folder.path());
  const std::vector<StepCost> costs{{"e2e", 1, 100}, {"mlm", 1.25, 50}, {"mlaan", 40, 60}};
  give_equal_time(runs, costs, 10);
  ASSERT_EQ(runs.size(), 6u);
  EXPECT_EQ(runs[0].epochs, 10);
  EXPECT_EQ(runs[1].epochs, 8);
  EXPECT_EQ(runs[2].epochs, 1);  // at least one
  EXPECT_EQ(runs[4].epochs, 8);
  const Settings config = settings();
  EXPECT_EQ(settings_of(runs[1], config).get<RunOptions>().epochs, 8);
}

TEST_F(ComparisonTest, MeasuresStepsWithCheckpointingBesideThem) {
  const Settings config = settings({"procedural.train_size=20", "batch_size=4"});
  const auto silent = [](const std::string&) {};
  const std::vector<MethodSpec> specs{MethodSpec::parse("e2e"), MethodSpec::parse("auto")};
  auto costs = measure_step_costs(config, make_data(config), specs, silent, {});
  EXPECT_TRUE(without_costs(specs, costs).empty());
  EXPECT_DOUBLE_EQ(cost_of("e2e", costs).time_ratio, 1);
  EXPECT_LT(cost_of(checkpointing_spec(2), costs).peak_bytes, cost_of("e2e", costs).peak_bytes);
  EXPECT_GT(cost_of("auto", costs).time_ratio, 0);
  EXPECT_THROW(cost_of("dgl", costs), Error);
  // What is added later leaves alone what was there.
  const double before = cost_of("auto", costs).time_ratio;
  EXPECT_EQ(without_costs({MethodSpec::parse("auto"), MethodSpec::parse("dgl")}, costs).size(), 1U);
  add_costs(costs, {{"auto", 1000, 1}, {"dgl", 3, 7}});
  EXPECT_DOUBLE_EQ(cost_of("auto", costs).time_ratio, before);
  EXPECT_DOUBLE_EQ(cost_of("dgl", costs).time_ratio, 3);
  const auto file = folder / "step_costs.json";
  write_step_costs(file, costs);
  const auto read = read_step_costs(file);
  ASSERT_EQ(read.size(), costs.size());
  for (std::size_t i = 0; i < read.size(); ++i) {
    EXPECT_EQ(read[i].spec, costs[i].spec);
    EXPECT_DOUBLE_EQ(read[i].time_ratio, costs[i].time_ratio);
    EXPECT_EQ(read[i].peak_bytes, costs[i].peak_bytes);
  }
  write_text(file, "{}");
  expect_user_error([&] { read_step_costs(file); }, {"step_costs.json", "remove it"});
  for (const StepCost& impossible : {StepCost{"dgl", 0, 100}, StepCost{"dgl", 1e308, 100},
                                     StepCost{"dgl", 1, 0}, StepCost{"dgl", -1, 100}}) {
    write_step_costs(file, {impossible});
    expect_user_error([&] { read_step_costs(file); }, {"step_costs.json", "dgl"});
  }
}

TEST_F(ComparisonTest, PlotsErrorsAgainstCosts) {
  ComparisonReport report;
  report.runs = compared_runs({"e2e", "mlm"}, {0, 1}, folder.path());
  for (const auto& run : report.runs) {
    TrainSummary summary;
    summary.run.model = "resnet8";
    summary.run.dataset = "procedural";
    summary.run.epochs = 4;
    summary.test_error = (run.spec.method == "e2e" ? 10 : 12) + static_cast<double>(run.seed);
    summary.average_test_error = std::nan("");
    summary.average_validation_error = std::nan("");
    report.finished.push_back({run, summary});
  }
  report.methods = compare_methods(report.runs, report.finished, {{}, {}});
  report.step_costs = {{"e2e", 1, 100}, {"mlm", 1.5, 25}, {checkpointing_spec(4), 1.25, 40, "e2e"}};
  set_step_costs(report.methods, report.step_costs);
  EXPECT_DOUBLE_EQ(report.methods[1].step_time_ratio, 1.5);
  EXPECT_DOUBLE_EQ(report.methods[1].step_peak_ratio, 0.25);
  const ScatterPlot bytes = comparison_plot(report, ComparedCost::peak_bytes);
  ASSERT_EQ(bytes.series.size(), 3u);
  EXPECT_DOUBLE_EQ(bytes.series[1].points[0].x, 0.25);
  EXPECT_DOUBLE_EQ(bytes.series[1].points[0].y, 12.5);
  EXPECT_NEAR(bytes.series[1].points[0].y_half_width, 12.706 * 0.5, 1e-2);
  // Checkpointing has end-to-end's error.
  EXPECT_DOUBLE_EQ(bytes.series[2].points[0].x, 0.4);
  EXPECT_DOUBLE_EQ(bytes.series[2].points[0].y, 10.5);
  const ScatterPlot time = comparison_plot(report, ComparedCost::training_time);
  EXPECT_DOUBLE_EQ(time.series[1].points[0].x, 1.5);
  EXPECT_NE(time.to_svg().find("checkpointing, 4"), std::string::npos);
}

}  // namespace
}  // namespace mlaan::testing
