// The error message and exit code for an exception.
#pragma once

#include <exception>
#include <string>

namespace mlaan::cli {

constexpr int exit_failure = 1;
constexpr int exit_usage = 2;

/// The message for an error, and the exit code.
struct ErrorReport {
  std::string text;
  int exit_code = exit_failure;
};

ErrorReport explain(const std::exception_ptr& error);

/// Prints the message as one line to stderr; with MLAAN_BACKTRACE=1 in the environment, also
/// LibTorch's backtrace.
/// \return the exit code: 2 if the user's input is at fault, else 1.
int report_error(const std::exception_ptr& error, const ErrorReport& report);
int report_error(const std::exception_ptr& error);

/// Flushes stdout. \return the exit code; or 1, with a line on stderr, if not everything could be
/// written.
int finish_output(int exit_code);

}  // namespace mlaan::cli
