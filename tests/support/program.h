// Runs the mlaan program as a user does.
#pragma once

#include "support/folders.h"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <string>

namespace mlaan::testing {

struct ProgramResult {
  int exit_code = -1;  ///< −1 if a signal ended it
  std::string output;  ///< stdout and stderr, in order
};

/// Starts a shell command line in the background; with `exec` before it, as the process itself.
inline pid_t start_in_background(const std::string& command) {
  const pid_t child = fork();
  if (child == 0) {
    execl("/bin/sh", "sh", "-c", command.c_str(), nullptr);
    _exit(127);
  }
  return child;
}

/// Runs a shell command line. \return its exit code, and what it printed.
inline ProgramResult run_shell(const std::string& line) {
  const std::string command = "{ " + line + "; } 2>&1";
  ProgramResult result;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) result.output += buffer.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

/// Runs the program under test with these arguments.
inline ProgramResult run_program(const std::string& arguments) {
  return run_shell(program() + " " + arguments);
}

}  // namespace mlaan::testing
