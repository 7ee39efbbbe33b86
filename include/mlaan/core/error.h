// The two kinds of error that mlaan throws.
#pragma once

#include <stdexcept>
#include <string>

namespace mlaan {

/// Something failed that the user could not have known: a bug, a full disk, a device that is gone.
/// The command-line program ends with exit code 1.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The input is at fault: a flag, a key of a configuration file, a data file, a checkpoint, or the
/// arguments of a library call. The message says what is wrong, what would be accepted and where.
/// The command-line program ends with exit code 2.
class UserError : public Error {
 public:
  using Error::Error;
};

}  // namespace mlaan
