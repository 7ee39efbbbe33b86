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

/// Runs a shell command line in which "mlaan" stands for the program under test.
inline ProgramResult run_program(const std::string& arguments) {
  const std::string command = program() + " " + arguments + " 2>&1";
  ProgramResult result;
  std::FILE* pipe = popen(command.c_str(), "r");
  if (pipe == nullptr) return result;
  std::array<char, 4096> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) result.output += buffer.data();
  const int status = pclose(pipe);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace mlaan::testing
