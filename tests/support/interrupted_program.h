// Trainings that a signal breaks off, and what they and others end with.
#pragma once

#include "support/program.h"

#include <mlaan/io/safetensors.h>

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>

namespace mlaan::testing {

/// Starts the program in the background and, as soon as `is_time` says so, sends a signal.
/// \param output file for stdout and stderr.
/// \return the exit code; −1 if the signal ended it.
inline int interrupt_program(const std::string& arguments, const std::filesystem::path& output,
                             int signal, const std::function<bool()>& is_time) {
  const std::string command =
      "exec " + program() + " " + arguments + " > " + output.string() + " 2>&1";
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (std::chrono::steady_clock::now() < deadline && !is_time()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  kill(child, signal);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
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
    EXPECT_TRUE(torch::equal(left.find(named.name), named.tensor)) << named.name;
  }
}

}  // namespace mlaan::testing
