// Trainings in several processes, as users start them.
#include "support/interrupted_program.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

const std::string small_training =
    "train --model resnet8 --threads 1 --workers 0 --set procedural.train_size=50 --set "
    "procedural.test_size=20 --set validation.fraction=0.2 --set "
    "engine.memory_format=channels_last --set log.steps=1 ";
const std::string two_processes = "--processes 2 -b 4 ";
const std::string one_process = "-b 8 --set engine.micro_batches=2 ";
const std::string random_method = "--method mlaan --set drop_path=0.5 --epochs 2 ";

class Processes : public ::testing::Test {
 protected:
  std::string output(const std::string& name) const {
    return " --output " + (folder / name).string() + " ";
  }

  static void expect_success(const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }

  /// Of trained weights and momentum alone: batch normalisation's statistics are of rank 0's
  /// images.
  void expect_same_training(const std::string& actual, const std::string& expected) const {
    const auto read = [&](const std::string& run) {
      return read_safetensors(folder / run / "checkpoints/last.safetensors");
    };
    const TensorFile left = read(actual);
    int compared = 0;
    for (const auto& named : read(expected).tensors) {
      const bool is_statistic = named.name.find("running_") != std::string::npos ||
                                named.name.find("num_batches") != std::string::npos;
      if (is_statistic) continue;
      EXPECT_TRUE(torch::equal(left.find(named.name), named.tensor)) << named.name;
      ++compared;
    }
    EXPECT_GT(compared, 20);
  }

  TemporaryFolder folder;
};

/// Ranks of a launcher that runs: its children.
std::vector<pid_t> children_of(pid_t process) {
  const std::string id = std::to_string(process);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

TEST_F(Processes, TwoAreOneWithTwoMicroBatches) {
  expect_success(run_program(small_training + random_method + two_processes + output("two")));
  expect_success(run_program(small_training + random_method + one_process + output("one")));
  expect_same_training("two", "one");
  const std::string summary = read_text(folder / "two/summary.json");
  EXPECT_NE(summary.find("\"processes\": 2"), std::string::npos) << summary;
  EXPECT_NE(summary.find("\"test_images\": 20"), std::string::npos) << summary;
  // Rank 0 alone tells of the training.
  const std::string metrics = read_text(folder / "two/metrics.csv");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 3);
}

TEST_F(Processes, ASignalToOneStopsAllAndTheRunGoesOnInOneProcess) {
  expect_success(run_program(small_training + random_method + one_process + output("whole")));
  const auto run = folder / "stopped";
  const std::string log = (folder / "log").string();
  const pid_t launcher =
      start_in_background("exec " + program() + " " + small_training + random_method +
                          two_processes + output("stopped") + "> " + log + " 2>&1");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (std::chrono::steady_clock::now() < deadline && !has_reached(run, {1, 2})) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const auto ranks = children_of(launcher);
  ASSERT_EQ(ranks.size(), 2);
  kill(ranks[1], SIGTERM);
  int status = 0;
  waitpid(launcher, &status, 0);
  ASSERT_EQ(WEXITSTATUS(status), 128 + SIGTERM) << read_text(log);
  EXPECT_NE(read_text(log).find("stopped by Terminated; go on with: mlaan train --resume"),
            std::string::npos)
      << read_text(log);
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
  const std::string log = (folder / "log").string();
  const pid_t launcher = start_in_background("exec " + program() + " " + small_training +
                                             "--method dgl --epochs 1000 --save-every 1i " +
                                             two_processes + output("run") + "> " + log + " 2>&1");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
  while (std::chrono::steady_clock::now() < deadline && !has_reached(folder / "run", {2, 2})) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const auto ranks = children_of(launcher);
  ASSERT_EQ(ranks.size(), 2);
  kill(ranks[1], SIGKILL);
  int status = 0;
  waitpid(launcher, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 1);
  const std::string said = read_text(log);
  EXPECT_NE(said.find("mlaan: rank 0: rank 1 ("), std::string::npos) << said;
  EXPECT_NE(said.find("was lost"), std::string::npos) << said;
  EXPECT_NE(said.find("mlaan: rank 1 was ended by signal 9"), std::string::npos) << said;
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

TEST_F(Processes, CommandsForOneProcessRefuseRanks) {
  const auto result = run_shell("RANK=0 WORLD_SIZE=2 MASTER_ADDR=127.0.0.1 MASTER_PORT=1 " +
                                program() + " bench --model resnet8 -b 2");
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("mlaan bench runs in one process"), std::string::npos)
      << result.output;
  const auto compared = run_program(
      "compare --methods e2e --model resnet8 -b 2 --set dist.processes=2" + output("compared"));
  EXPECT_EQ(compared.exit_code, 2) << compared.output;
  EXPECT_NE(compared.output.find("dist.processes = 2, but one process trains"), std::string::npos)
      << compared.output;
}

}  // namespace
}  // namespace mlaan::testing
