// `mlaan train` from outside: the files that it leaves, its limits, and weights that it begins
// with.
#include "support/cli.h"

#include <mlaan/io/safetensors.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

TEST_F(Cli, TrainsAndLeavesItsFiles) {
  const ProgramResult result = run_program(train("run", "--method mlaan --baseline e2e --lr 0.05"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* word : {"method", "test error", "images/s", "peak", "mlaan", "e2e"}) {
    EXPECT_TRUE(contains(result.output, word)) << word << " is not in:\n" << result.output;
  }
  for (const char* file : {"config.toml", "metrics.csv", "steps.jsonl", "summary.json",
                           "checkpoints/last.safetensors", "checkpoints/best.safetensors"}) {
    EXPECT_TRUE(fs::exists(folder / "run" / file)) << file;
  }
  EXPECT_TRUE(contains(read_text(folder / "run/config.toml"), "lr = 0.05  # --lr"));
  const json run = summary("run");
  EXPECT_EQ(run["method"], "mlaan");
  EXPECT_EQ(run["epochs"], 2);
  EXPECT_TRUE(run["test_error"].is_number());
  EXPECT_GT(run["peak_bytes"].get<std::int64_t>(), 0);
  EXPECT_GT(run["seconds"].get<double>(), 0);
  ASSERT_EQ(run["results"].size(), 2U);
  EXPECT_EQ(run["results"][1]["method"], "e2e");
}

TEST_F(Cli, WeightsAreEvaluatedAndTrainedFrom) {
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const std::string weights =
      " --weights " + (folder / "run/checkpoints/last.safetensors").string() + " ";
  const ProgramResult result =
      run_program("eval --model resnet8 --set procedural.test_size=20 --output " +
                  (folder / "eval").string() + weights);
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(summary("eval")["test_error"], summary("run")["test_error"]);
  // A step of no length leaves them as they are.
  ASSERT_EQ(run_program(train("more", "--method dgl --lr 1e-12 --epochs 1" + weights)).exit_code,
            0);
  EXPECT_EQ(
      read_safetensors(folder / "more/checkpoints/last.safetensors")
          .find("fc.bias")
          .allclose(read_safetensors(folder / "run/checkpoints/last.safetensors").find("fc.bias")),
      true);
  expect_usage_error("eval", {"checkpoint", "--weights"});
  expect_usage_error("eval " + (folder / "run").string() + weights, {"either"});
  expect_usage_error("train --model resnet14 -q --output " + (folder / "other").string() + weights,
                     {"layer1.1.conv1.weight", "resnet14"});
}

TEST_F(Cli, FlagsThatUsersOfOtherTrainersKnowAreThere) {
  const ProgramResult result =
      run_program(train("run",
                        "--method e2e --opt lamb --lr 0.01 --momentum 0.8 --weight-decay 0.1 "
                        "--clip-grad 1 --layer-decay 0.9 --sched plateau --warmup-epochs 1 "
                        "--warmup-lr 0.002 --min-lr 0.001 --decay-rate 0.5 --patience-epochs 3 "
                        "--drop-path 0.2 --tta flip"));
  ASSERT_EQ(result.exit_code, 0) << result.output;
  const std::string config = read_text(folder / "run/config.toml");
  for (const char* line :
       {"type = \"lamb\"  # --opt", "momentum = 0.8  # --momentum",
        "weight_decay = 0.1  # --weight-decay", "clip_grad = 1.0  # --clip-grad",
        "layer_decay = 0.9  # --layer-decay", "type = \"plateau\"  # --sched",
        "warmup_epochs = 1.0  # --warmup-epochs", "warmup_lr = 0.002  # --warmup-lr",
        "min_lr = 0.001  # --min-lr", "factor = 0.5  # --decay-rate",
        "patience_epochs = 3  # --patience-epochs", "drop_path = 0.2  # --drop-path",
        "tta = \"flip\"  # --tta"}) {
    EXPECT_TRUE(contains(config, line)) << line << " is not in:\n" << config;
  }
  const auto loss_of = [&](const std::string& more) {
    const ProgramResult evaluated =
        run_program("eval " + quoted(folder / "run") + more + " --json " + quoted(folder / "json"));
    EXPECT_EQ(evaluated.exit_code, 0) << evaluated.output;
    return json::parse(read_text(folder / "json"))["test_loss"].get<double>();
  };
  const double tested = summary("run")["test_loss"].get<double>();
  EXPECT_NEAR(loss_of(""), tested, 1e-6) << "as the run was tested";
  EXPECT_NE(loss_of(" --tta none"), tested);
  expect_usage_error(
      "train --opt lamb --set optimizer.state=8bit -q --output " + quoted(folder / "other"),
      {"8bit", "lamb"});
  expect_usage_error("train --drop-path 1", {"--drop-path", "below 1"});
  expect_usage_error("train --tta flop", {"--tta", "none, flip"});
}

TEST_F(Cli, RecomputationLowersThePeakAndLeavesTheReferenceAlone) {
  const auto peaks = [&](const std::string& recompute) {
    const std::string file = (folder / (recompute + ".json")).string();
    const ProgramResult result = run_program(
        "bench --model resnet14 --modules 3 -b 8 --methods mlaan --repeats 1 -q --set "
        "engine.memory_format=channels_last "
        "--recompute " +
        recompute + " --json " + file);
    EXPECT_EQ(result.exit_code, 0) << result.output;
    const json results = json::parse(read_text(file))["results"];
    return std::make_pair(results[0]["peak_bytes"].get<std::int64_t>(),
                          results[1]["peak_bytes"].get<std::int64_t>());
  };
  const auto kept = peaks("none");
  const auto recomputed = peaks("unit");
  EXPECT_EQ(recomputed.first, kept.first) << "end-to-end";
  EXPECT_LT(static_cast<double>(recomputed.second), 0.8 * static_cast<double>(kept.second));
  EXPECT_LT(static_cast<double>(peaks("activation").second),
            0.9 * static_cast<double>(kept.second));
}

TEST_F(Cli, ALayoutThatWasMeasuredIsKeptByARunThatGoesOn) {
  const std::string settings =
      " --model resnet8 --epochs 1 -b 8 --set procedural.train_size=50 "
      "--set procedural.test_size=20 --output " +
      (folder / "run").string();
  const ProgramResult first = run_program("train" + settings);
  ASSERT_EQ(first.exit_code, 0) << first.output;
  EXPECT_TRUE(contains(first.output, "engine.memory_format = ")) << first.output;
  const std::string chosen = read_text(folder / "run/config.toml");
  EXPECT_TRUE(contains(chosen, "memory_format = \"c")) << chosen;
  EXPECT_TRUE(contains(chosen, "# measured: channels_last ")) << chosen;
  const bool contiguous = contains(chosen, "memory_format = \"contiguous\"");

  const ProgramResult second =
      run_program("train --epochs 2 --resume " + (folder / "run").string());
  ASSERT_EQ(second.exit_code, 0) << second.output;
  EXPECT_FALSE(contains(second.output, "engine.memory_format = ")) << second.output;
  EXPECT_EQ(contains(read_text(folder / "run/config.toml"), "memory_format = \"contiguous\""),
            contiguous);
}

TEST_F(Cli, ADryRunTriesEveryPhaseAndLeavesNothing) {
  const std::string in_folder = "cd " + quoted(folder.path()) + " && TMPDIR=. " + program() +
                                " train" + small + "--dry-run --baseline e2e";
  const ProgramResult result = run_shell(in_folder);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  // Of six tenths and four, two steps are the fewest that have one of each.
  EXPECT_TRUE(contains(result.output, "mlaan-relay: 2 steps,")) << result.output;
  EXPECT_TRUE(contains(result.output, "e2e: 1 step,")) << result.output;
  EXPECT_TRUE(fs::is_empty(folder.path()));
  expect_usage_error("train --dry-run --resume x", {"--dry-run", "--resume"});
}

TEST_F(Cli, LimitsEndATrainingAndSaySo) {
  const ProgramResult result =
      run_program(train("steps", "--max-steps 7 --limit-test-batches 1 --limit-val-batches 1"));
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_TRUE(contains(result.output, "ended in epoch 2 of 2, by limit.steps = 7"))
      << result.output;
  EXPECT_EQ(summary("steps")["ended_by"], "limit.steps = 7");
  EXPECT_EQ(summary("steps")["test_images"], 8);
  expect_usage_error("train --max-time soon", {"limit.time", "1h30m"});
}

TEST_F(Cli, WhatPlanHasFoundTrainTakes) {
  const std::string settings = small + "--method mlm --memory 100MiB --set lr=0.05";
  const std::string cache = "XDG_CACHE_HOME=" + quoted(folder / "cache") + " " + program();
  EXPECT_EQ(run_shell(cache + " plan --method mlm --model resnet8 -b 8 --memory 100MiB --set "
                              "procedural.train_size=50 --set procedural.test_size=20 --set "
                              "engine.memory_format=channels_last -q")
                .exit_code,
            0);
  std::string without_quiet = settings;
  without_quiet.replace(without_quiet.find(" -q "), 4, " ");
  const std::string command = cache + " train" + without_quiet + " --output ";
  const ProgramResult first = run_shell(command + quoted(folder / "first"));
  EXPECT_EQ(first.exit_code, 0) << first.output;
  EXPECT_TRUE(contains(first.output, "predicted earlier")) << first.output;
  EXPECT_FALSE(contains(first.output, "trying")) << first.output;
  const ProgramResult other = run_shell(command + quoted(folder / "other") + " -b 10");
  EXPECT_TRUE(contains(other.output, "trying")) << other.output;
  EXPECT_FALSE(contains(other.output, "predicted earlier")) << other.output;
}

TEST_F(Cli, APlanIsWrittenReadBackAndTrainedBy) {
  const std::string plan = (folder / "plan.toml").string();
  const auto written = run_program("info plan --model resnet8 --method infopro+mlm+lam");
  ASSERT_EQ(written.exit_code, 0) << written.output;
  EXPECT_TRUE(contains(written.output, "parameters")) << "what each net costs, in a comment";
  write_text(plan, written.output);
  ASSERT_EQ(run_program(train("by-name", "--method infopro+mlm+lam")).exit_code, 0);
  const auto by_plan = run_program(train("by-plan", "--method " + plan));
  ASSERT_EQ(by_plan.exit_code, 0) << by_plan.output;
  EXPECT_EQ(summary("by-plan")["test_loss"], summary("by-name")["test_loss"]);
}

}  // namespace
}  // namespace mlaan::testing
