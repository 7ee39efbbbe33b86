// The error message and exit code for an exception.
#include "cli/error_report.h"

#include "core/libtorch_error.h"

#include <mlaan/core/error.h>
#include <mlaan/dist/process_group.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <new>
#include <stdexcept>
#include <string>

namespace mlaan::cli {
namespace {

/// Converts exceptions of other libraries to Error.
[[noreturn]] void rethrow_explained(const std::exception_ptr& error) {
  constexpr const char* no_memory =
      "memory ran out; try a smaller batch_size, fewer workers, or ask `mlaan plan` what fits";
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& libtorch) {
    throw_explained(libtorch);
  } catch (const std::filesystem::filesystem_error& files) {
    throw Error(files.path1().string() + ": " + files.code().message());
  } catch (const std::bad_alloc&) {
    throw Error(no_memory);
  } catch (const std::length_error&) {
    throw Error(no_memory);
  } catch (const std::exception& other) {
    throw_explained(other.what());
  }
}

void print_backtrace(const std::exception_ptr& error) {
  const char* asked = std::getenv("MLAAN_BACKTRACE");
  if (asked == nullptr || std::string(asked) != "1") return;
  try {
    std::rethrow_exception(error);
  } catch (const Error&) {  // the message names the cause already
  } catch (const std::exception& other) {
    std::fprintf(stderr, "%s\n", other.what());
  }
}

}  // namespace

ErrorReport explain(const std::exception_ptr& error) {
  try {
    rethrow_explained(error);
  } catch (const UserError& user) {
    return {user.what(), exit_usage};
  } catch (const PeerError& peer) {
    return {peer.what(), peer.exit_code()};
  } catch (const std::exception& other) {
    return {other.what(), exit_failure};
  }
}

int report_error(const std::exception_ptr& error, const ErrorReport& report) {
  std::fprintf(stderr, "mlaan: %s\n", report.text.c_str());
  print_backtrace(error);
  return report.exit_code;
}

int report_error(const std::exception_ptr& error) {
  return report_error(error, explain(error));
}

int finish_output(int exit_code) {
  errno = 0;
  const bool written = std::fflush(stdout) == 0 && std::ferror(stdout) == 0;
  if (written) return exit_code;
  if (errno == 0) {  // An earlier write failed; one more byte sets errno again.
    std::clearerr(stdout);
    std::fputc('\n', stdout);
    std::fflush(stdout);
  }
  const std::string why = errno == 0 ? "" : std::string(": ") + std::strerror(errno);
  std::fprintf(stderr, "mlaan: the results could not all be written to stdout%s\n", why.c_str());
  return exit_failure;
}

}  // namespace mlaan::cli
