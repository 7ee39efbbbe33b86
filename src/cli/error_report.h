// What the program says of an error, and the exit code that it ends with.
#pragma once

#include <exception>
#include <string>

namespace mlaan::cli {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;

/// What is said of an error, and the exit code.
struct ErrorReport {
  std::string text;
  int exit_code = exit_failure;
};

ErrorReport explain(const std::exception_ptr& error);

/// Prints one line on stderr; with MLAAN_BACKTRACE=1 in the environment also where LibTorch found
/// the error.
/// \return the exit code: 2 where the input is at fault, else 1.
int report_error(const std::exception_ptr& error, const ErrorReport& report);
int report_error(const std::exception_ptr& error);

/// Writes out what was printed. \return the exit code; 1, with a line on stderr, where not all of
/// it could be written.
int finish_output(int exit_code);

}  // namespace mlaan::cli
