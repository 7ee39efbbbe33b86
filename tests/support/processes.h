// Trainings in several processes: short ones, and what they are compared by.
#pragma once

#include "support/closeness.h"
#include "support/interrupted_program.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

namespace mlaan::testing {

inline const std::string small_run =
    " --model resnet8 --threads 1 --workers 0 --set procedural.train_size=50 --set "
    "procedural.test_size=20 --set validation.fraction=0.2 --set "
    "engine.memory_format=channels_last --set log.steps=1 ";
inline const std::string small_training = "train" + small_run;
inline const std::string two_processes = "--processes 2 -b 4 ";
inline const std::string one_process = "-b 8 --set engine.micro_batches=2 ";
inline const std::string random_method = "--method mlaan --set drop_path=0.5 --epochs 2 ";

/// Ranks of a launcher that runs: its children.
inline std::vector<pid_t> children_of(pid_t process) {
  const std::string id = std::to_string(process);
  std::ifstream file("/proc/" + id + "/task/" + id + "/children");
  std::vector<pid_t> children;
  for (pid_t child = 0; file >> child;) children.push_back(child);
  return children;
}

class Processes : public ::testing::Test {
 protected:
  std::string output(const std::string& name) const {
    return " --output " + (folder / name).string() + " ";
  }

  static void expect_success(const ProgramResult& result) {
    EXPECT_EQ(result.exit_code, 0) << result.output;
  }

  TensorFile last_checkpoint_of(const std::string& run) const {
    return read_safetensors(folder / run / "checkpoints/last.safetensors");
  }

  /// Of trained weights and momentum alone: batch normalisation's statistics are of rank 0's
  /// images.
  void expect_same_training(const std::string& actual, const std::string& expected) const {
    const TensorFile left = last_checkpoint_of(actual);
    int compared = 0;
    for (const auto& named : last_checkpoint_of(expected).tensors) {
      const bool is_statistic = named.name.find("running_") != std::string::npos ||
                                named.name.find("num_batches") != std::string::npos;
      if (is_statistic) continue;
      EXPECT_TRUE(torch::equal(left.find(named.name), named.tensor)) << named.name;
      ++compared;
    }
    EXPECT_GT(compared, 20);
  }

  /// Of all tensors, statistics too.
  void expect_same_checkpoint(const std::string& actual, const std::string& expected) const {
    expect_same_weights(folder / actual, folder / expected);
  }

  /// The largest relative difference of a batch normalisation's running statistics.
  double furthest_statistic(const std::string& actual, const std::string& expected) const {
    const TensorFile left = last_checkpoint_of(actual);
    double furthest = 0;
    for (const auto& named : last_checkpoint_of(expected).tensors) {
      if (named.name.find("running_") == std::string::npos) continue;
      furthest = std::max(furthest, relative_norm(left.find(named.name), named.tensor));
    }
    return furthest;
  }

  struct Interrupted {
    int exit_code;
    std::string said;
  };

  /// Trains in two ranks, and sends the second a signal at a step.
  Interrupted interrupt_rank_1(const std::string& arguments, const std::string& run,
                               const LoggedStep& step, int signal) const {
    return interrupt_rank_1(arguments, run, "", step, signal);
  }

  /// \param logged the folder below the output whose log has the step.
  Interrupted interrupt_rank_1(const std::string& arguments, const std::string& run,
                               const std::string& logged, const LoggedStep& step,
                               int signal) const {
    const std::filesystem::path log = folder / "log";
    const int exit_code = interrupt_shell(
        "exec " + program() + " " + arguments + output(run) + "> " + log.string() + " 2>&1",
        folder / run / logged, step, signal, [](pid_t launcher) {
          const auto ranks = children_of(launcher);
          EXPECT_EQ(ranks.size(), 2);
          return ranks.size() == 2 ? ranks[1] : launcher;
        });
    return {exit_code, read_text(log)};
  }

  /// Of steps.jsonl what does not depend on clocks.
  static std::string without_times(const std::string& steps) {
    std::string kept;
    std::istringstream lines(steps);
    for (std::string line; std::getline(lines, line);) {
      auto json = nlohmann::json::parse(line);
      for (const char* key : {"images_per_second", "seconds_left", "data_wait"}) json.erase(key);
      kept += json.dump() + "\n";
    }
    return kept;
  }

  TemporaryFolder folder;
};

}  // namespace mlaan::testing
