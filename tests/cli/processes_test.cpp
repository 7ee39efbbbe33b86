// Trainings in several processes, as users start them.
#include "support/processes.h"

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST_F(Processes, TwoAreOneWithTwoMicroBatches) {
  const auto trained = run_program(small_training + random_method + two_processes + output("two"));
  expect_success(trained);
  EXPECT_NE(trained.output.find("  mlaan: 2 processes with 4 images each: 8 images a step\n"),
            std::string::npos)
      << trained.output;
  expect_success(run_program(small_training + random_method + one_process + output("one")));
  expect_same_training("two", "one");
  const auto summary = nlohmann::json::parse(read_text(folder / "two/summary.json"));
  EXPECT_EQ(summary["processes"], 2);
  EXPECT_EQ(summary["layout"], "data-parallel");
  EXPECT_EQ(summary["test_images"], 20);
  ASSERT_EQ(summary["ranks"].size(), 2);
  for (const auto& rank : summary["ranks"]) {
    EXPECT_GT(rank["peak_bytes"], 0);
    EXPECT_GT(rank["bytes_per_step"], 0);
    EXPECT_GT(rank["seconds_waited"], 0);
  }
  // Rank 0 alone tells of the training.
  const std::string metrics = read_text(folder / "two/metrics.csv");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
}

TEST_F(Processes, NormalisationsAndLossesSeeTheWholeBatchWhereAsked) {
  const std::string training = small_training + "--method predsim --epochs 1 ";
  const auto apart = run_program(training + two_processes + output("apart"));
  expect_success(apart);
  const std::string note = "losses that compare samples (similarity_matching) see the images of ";
  EXPECT_NE(apart.output.find(note + "each process alone; --set dist.gather_losses=true"),
            std::string::npos)
      << apart.output;
  const auto joint = run_program(training + two_processes + output("joint") +
                                 "--set dist.gather_losses=true --set dist.sync_batch_norm=true");
  expect_success(joint);
  EXPECT_NE(joint.output.find(note + "all processes\n"), std::string::npos) << joint.output;
  expect_success(run_program(training + "-b 8" + output("one")));
  EXPECT_LT(furthest_statistic("joint", "one"), 1e-3);
  EXPECT_GT(furthest_statistic("apart", "one"), 1e-2);
  const auto refused =
      run_program(training + two_processes + output("refused") +
                  "--set dist.sync_batch_norm=true --set engine.kernels=reference");
  EXPECT_EQ(refused.exit_code, 2) << refused.output;
  EXPECT_NE(refused.output.find("with dist.sync_batch_norm = true accepted: own"),
            std::string::npos)
      << refused.output;
}

TEST_F(Processes, ASignalToOneStopsAllAndTheRunGoesOnInOneProcess) {
  expect_success(run_program(small_training + random_method + one_process + output("whole")));
  const auto stopped =
      interrupt_rank_1(small_training + random_method + two_processes, "stopped", {1, 2}, SIGTERM);
  ASSERT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.said;
  EXPECT_NE(stopped.said.find("stopped by Terminated; go on with: mlaan train --resume"),
            std::string::npos)
      << stopped.said;
  const auto run = folder / "stopped";
  // As it was begun, 4 images are a batch of other images.
  const auto refused = run_program("train --processes 1 --resume " + run.string());
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("batch_size = 4, where it was 4 in each of 2 processes, 8"),
            std::string::npos)
      << refused.output;
  expect_success(
      run_program("train --processes 1 --threads 1 " + one_process + " --resume " + run.string()));
  expect_same_training("stopped", "whole");
}

TEST_F(Processes, ALostRankEndsAllAndIsNamed) {
  const auto lost = interrupt_rank_1(
      small_training + "--method dgl --epochs 1000 --save-every 1i " + two_processes, "run", {2, 2},
      SIGKILL);
  EXPECT_EQ(lost.exit_code, 1);
  EXPECT_NE(lost.said.find("mlaan: rank 0: rank 1 ("), std::string::npos) << lost.said;
  EXPECT_NE(lost.said.find("was lost"), std::string::npos) << lost.said;
  EXPECT_NE(lost.said.find("mlaan: rank 1 was ended by signal 9"), std::string::npos) << lost.said;
  EXPECT_GT(read_safetensors(folder / "run/checkpoints/last.safetensors").tensors.size(), 20u);
}

TEST_F(Processes, WhatIsWrongForAllIsSaidOnce) {
  const auto result =
      run_program(small_training + "--method dgl --set teacher.share=0.5 --set augment.mixup=0.5 " +
                  two_processes + output("run"));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  EXPECT_NE(result.output.find("mlaan: rank 0: teacher.share"), std::string::npos) << result.output;
  EXPECT_FALSE(fs::exists(folder / "run"));
}

TEST_F(Processes, RanksOfOtherSettingsAreRefused) {
  const std::string environment =
      "export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$((20000 + $$ % 20000)); ";
  const std::string command =
      program() + " " + small_training + "--method dgl -b 4 " + output("run");
  const auto result = run_shell(environment + "RANK=1 " + command + " --lr 0.2 & RANK=0 " +
                                command + "; code=$?; wait; exit $code");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("has lr = 0.2, where rank 0 has 0.1"), std::string::npos)
      << result.output;
}

TEST_F(Processes, RanksThatEndForAnotherEndWithItsCode) {
  // Rank 0 alone finds this fault; which of the two ends first is chance.
  const std::string environment =
      "export WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=$((20000 + $$ % 20000)); ";
  const std::string command = program() + " " + small_training +
                              "--method dgl -b 4 --set dist.stages=2 "
                              "--modules 1 " +
                              output("run");
  const auto result = run_shell(environment + "RANK=1 " + command + " & RANK=0 " + command +
                                "; first=$?; wait $!; echo codes $first $?");
  EXPECT_NE(result.output.find("codes 2 2"), std::string::npos) << result.output;
}

TEST_F(Processes, StagesAreOneProcess) {
  const std::string method = "--method mlaan --modules 3 --set drop_path=0.5 --epochs 2 -b 8 ";
  const std::string late = "--set dist.twin_delay=1 ";
  expect_success(run_program(small_training + method + late + output("one")));
  const auto staged = run_program(small_training + method + late + "--stages 2 " + output("two"));
  expect_success(staged);
  EXPECT_EQ(staged.output.find("waits in every step"), std::string::npos) << staged.output;
  expect_same_checkpoint("two", "one");
  // Every step's losses, of all stages; the epochs' errors.
  EXPECT_EQ(without_times(read_text(folder / "two/steps.jsonl")),
            without_times(read_text(folder / "one/steps.jsonl")));
  const std::string summary = read_text(folder / "two/summary.json");
  EXPECT_NE(summary.find("\"last_module\": 3"), std::string::npos) << summary;
  EXPECT_NE(summary.find("\"batch\": 8"), std::string::npos) << summary;
  EXPECT_NE(summary.find("\"layout\": \"stages\""), std::string::npos) << summary;
  EXPECT_NE(staged.output.find("  mlaan: 2 stages, of the modules 1 to "), std::string::npos)
      << staged.output;
}

TEST_F(Processes, StagesSayWhereTwinsMakeThemWait) {
  const auto staged =
      run_program(small_training + "--method mlaan --modules 3 --epochs 1 -b 8 --stages 3 " +
                  "--set dist.split=2,3 --baseline mlaan-relay " + output("run"));
  expect_success(staged);
  EXPECT_NE(staged.output.find("stage 2 waits in every step for stage 3"), std::string::npos)
      << staged.output;
  expect_success(run_program(small_training + "--method mlaan-relay --epochs 1 -b 8 --modules 3 " +
                             output("one")));
  expect_same_checkpoint("run/baseline-mlaan-relay", "one");
}

TEST_F(Processes, ARunOfStagesGoesOnWithOthers) {
  const std::string settings =
      "--method mlm --modules 4 -b 8 --epochs 3 --set model_ema.enabled=true --set "
      "optimizer.type=adamw --set teacher.share=0.5 --set validation.report=best --set "
      "save.keep=3 ";
  expect_success(run_program(small_training + settings + output("whole")));
  expect_success(run_program(small_training + settings + "--stages 3 " + output("three")));
  expect_same_checkpoint("three", "whole");
  const auto go_on = [&](const std::string& layout, const std::string& checkpoint,
                         const std::string& to) {
    expect_success(run_program("train --threads 1 " + layout + " --resume " +
                               (folder / checkpoint).string() + output(to)));
    expect_same_checkpoint(to, "whole");
  };
  go_on("--stages 2 --processes 2", "three/checkpoints/epoch-0001.safetensors", "two");
  go_on("--stages 1 --processes 1", "two/checkpoints/epoch-0002.safetensors", "one");
}

TEST_F(Processes, ALostStageEndsAllAndIsNamed) {
  const auto lost = interrupt_rank_1(
      small_training + "--method mlm --modules 4 -b 8 --epochs 1000 --save-every 1i --stages 2",
      "run", {2, 2}, SIGKILL);
  EXPECT_EQ(lost.exit_code, 1);
  EXPECT_NE(lost.said.find("mlaan: rank 0: rank 1 ("), std::string::npos) << lost.said;
  EXPECT_NE(lost.said.find("was lost"), std::string::npos) << lost.said;
}

TEST_F(Processes, StagesThatCannotBeAreRefused) {
  const auto refused = [&](const std::string& settings, const std::string& why) {
    const auto result = run_program(small_training + settings + output("refused"));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(why), std::string::npos) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
  };
  refused("--method dgl -b 4 --processes 3 --stages 2 ", "accepted: 1, or 3");
  refused("--method dgl -b 4 --stages 2 --set dist.split=9 ", "dist.split = \"9\"");
  refused("--method e2e -b 4 --stages 2 --set optimizer.clip_grad=1 ", "dist.stages above 1");
  refused("--method dgl -b 4 --stages 4 ", "dist.stages = 4 are more than the 3 modules");
}

TEST_F(Processes, WhatRanksCannotDoIsRefused) {
  const auto refused = [&](const std::string& command, const std::string& why) {
    const auto result = run_program(command + output("refused"));
    EXPECT_EQ(result.exit_code, 2) << result.output;
    EXPECT_NE(result.output.find(why), std::string::npos) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    EXPECT_FALSE(fs::exists(folder / "refused"));
  };
  refused("eval --model resnet8 --weights x --set dist.stages=2",
          "dist.stages = 2 is for training");
  refused("train --method dgl --memory 1GiB --stages 2", "mlaan plan --stages 2 says what");
  const auto profile =
      run_program("bench --model resnet8 --profile " + (folder / "trace").string() + " --stages 2");
  EXPECT_EQ(profile.exit_code, 2) << profile.output;
  EXPECT_NE(profile.output.find("--profile measures"), std::string::npos) << profile.output;
  const auto plan = run_shell("RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=1 " +
                              program() + " plan --model resnet8 -b 2");
  EXPECT_EQ(plan.exit_code, 2) << plan.output;
  EXPECT_NE(plan.output.find("mlaan plan runs in one process"), std::string::npos) << plan.output;
}

TEST_F(Processes, AnEvaluationIsSpreadAndExact) {
  const std::string run = (folder / "run").string();
  // Trained in two processes, evaluated in as many as the evaluation says.
  expect_success(
      run_program(small_training + "--method dgl --epochs 1 " + two_processes + output("run")));
  const auto evaluated = [&](const std::string& layout) {
    const auto result = run_program("eval " + run + layout + output("eval") + "--per-class");
    expect_success(result);
    const std::string header = "top-5 error %  test loss";
    EXPECT_EQ(result.output.find(header), result.output.rfind(header)) << result.output;
    return nlohmann::json::parse(read_text(folder / "eval/summary.json"));
  };
  const auto one = evaluated("");
  const auto three = evaluated(" --processes 3");
  EXPECT_EQ(one["processes"], 1);
  EXPECT_EQ(three["processes"], 3);
  EXPECT_EQ(three["ranks"].size(), 3);
  EXPECT_EQ(three["test_images"], 20);
  EXPECT_EQ(three["classes"], one["classes"]);
  EXPECT_EQ(three["test_error"], one["test_error"]);
  EXPECT_EQ(three["test_error_top5"], one["test_error_top5"]);
  EXPECT_NEAR(three["test_loss"], one["test_loss"], 1e-5);
}

TEST_F(Processes, AComparisonTrainsEachRunInAllProcesses) {
  const std::string comparison =
      "compare --methods e2e,dgl" + small_run + "--epochs 2 --processes 2 -b 4 ";
  const auto stopped = interrupt_rank_1(comparison, "compared", "e2e-seed0", {1, 2}, SIGTERM);
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.said;
  EXPECT_NE(stopped.said.find("with 0 of 2 runs finished"), std::string::npos) << stopped.said;
  const auto finished = run_program(comparison + output("compared"));
  expect_success(finished);
  EXPECT_NE(finished.output.find("run 2 of 2: dgl, seed 0"), std::string::npos) << finished.output;
  for (const std::string method : {"e2e", "dgl"}) {
    expect_success(run_program(small_training + "--epochs 2 --method " + method + " " +
                               two_processes + output(method)));
    expect_same_checkpoint("compared/" + method + "-seed0", method);
  }
  const auto again = run_program(comparison + output("compared"));
  expect_success(again);
  EXPECT_NE(again.output.find("run 2 of 2: dgl, seed 0, finished before"), std::string::npos);
  const auto other = run_program(comparison + "--processes 1 " + output("compared"));
  EXPECT_EQ(other.exit_code, 2) << other.output;
  EXPECT_NE(other.output.find("with dist.processes = 2, where 1"), std::string::npos)
      << other.output;
}

TEST_F(Processes, AComparisonInStagesGoesOnWithTheSameStages) {
  const std::string comparison =
      "compare --methods dgl" + small_run + "--modules 3 --epochs 2 --stages 2 -b 8 ";
  const auto stopped = interrupt_rank_1(comparison, "compared", "dgl-seed0", {1, 2}, SIGTERM);
  EXPECT_EQ(stopped.exit_code, 128 + SIGTERM) << stopped.said;
  // The stages begin where the first part of the run has measured that they should.
  expect_success(run_program(comparison + "--budget time" + output("compared")));
  expect_success(
      run_program(small_training + "--modules 3 --epochs 2 --method dgl -b 8 " + output("one")));
  expect_same_checkpoint("compared/dgl-seed0", "one");
}

TEST_F(Processes, ABenchmarkMeasuresAStepOfAllRanks) {
  const auto measured = [&](const std::string& layout) {
    const auto result = run_program(
        "bench --methods dgl --model resnet8 --modules 3 --threads 1 --warmup 0 --repeats 1 "
        "--set engine.memory_format=channels_last --json " +
        (folder / "bench.json").string() + " " + layout);
    expect_success(result);
    const auto results = nlohmann::json::parse(read_text(folder / "bench.json"))["results"];
    EXPECT_EQ(results.size(), 2);
    return results.at(1);
  };
  const auto one = measured("-b 8");
  for (const std::string layout : {"--processes 2 -b 4", "--stages 2 -b 8"}) {
    SCOPED_TRACE(layout);
    const auto two = measured(layout);
    EXPECT_EQ(two["method"], "dgl");
    EXPECT_EQ(two["batch"], 8);
    EXPECT_EQ(two["multiply_adds"], one["multiply_adds"]);
    ASSERT_EQ(two["ranks"].size(), 2);
    EXPECT_GT(two["ranks"][0]["bytes_per_step"], 0);
    EXPECT_GT(two["ranks"][1]["peak_bytes"], 0);
    EXPECT_EQ(two["one_process"]["peak_bytes"], one["peak_bytes"]);
    EXPECT_GT(two["one_process"]["time_ratio"], 0);
  }
  EXPECT_FALSE(one.contains("ranks"));
}

}  // namespace
}  // namespace mlaan::testing
