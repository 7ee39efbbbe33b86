// Trainings that a signal breaks off, and what they and others end with.
#pragma once

#include "support/program.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace mlaan::testing {

/// A step as a run's log of every step names it.
struct LoggedStep {
  int epoch;
  int batch;
};

inline bool has_reached(const std::filesystem::path& run, const LoggedStep& step) {
  const auto log = run / "steps.jsonl";
  const std::string text =
      "\"epoch\":" + std::to_string(step.epoch) + ",\"batch\":" + std::to_string(step.batch);
  return std::filesystem::exists(log) && read_text(log).find(text) != std::string::npos;
}

/// Starts a training in the background, which logs every step, and sends it a signal at a step.
/// \param command shell command line that becomes the training by `exec`.
/// \param run folder of the training's run.
/// \param receiver of the signal, of the training's process: that itself, or one of its children.
/// \return the exit code; −1 if the signal ended it.
inline int interrupt_shell(
    const std::string& command, const std::filesystem::path& run, const LoggedStep& step,
    int signal, const std::function<pid_t(pid_t)>& receiver = [](pid_t child) { return child; }) {
  const pid_t child = start_in_background(command);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (std::chrono::steady_clock::now() < deadline && !has_reached(run, step)) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  kill(receiver(child), signal);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/// The same with the program's arguments. \param output file for stdout and stderr.
inline int interrupt_program(const std::string& arguments, const std::filesystem::path& output,
                             const std::filesystem::path& run, const LoggedStep& step, int signal) {
  return interrupt_shell("exec " + program() + " " + arguments + " > " + output.string() + " 2>&1",
                         run, step, signal);
}

/// Expects the last checkpoints of two run folders to hold the same bits.
inline void expect_same_weights(const std::filesystem::path& actual,
                                const std::filesystem::path& expected) {
  const auto read = [](const std::filesystem::path& run) {
    return read_safetensors(run / "checkpoints/last.safetensors");
  };
  const TensorFile left = read(actual);
  const TensorFile right = read(expected);
  ASSERT_EQ(left.tensors.size(), right.tensors.size());
  for (const auto& named : right.tensors) {
    const torch::Tensor found = left.find(named.name);
    ASSERT_TRUE(found.defined()) << named.name;
    EXPECT_TRUE(torch::equal(found, named.tensor)) << named.name;
  }
}

}  // namespace mlaan::testing
