// The readers of files that nobody has checked, as fuzzers call them.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace mlaan::testing {

/// A reader of one file format.
struct FuzzedReader {
  std::string name;  ///< "idx"
  /// Contents of files that it reads without an error.
  std::vector<std::string> seeds;
  /// Reads a file of this content. Refusing it by a UserError is right; any other exception is not.
  std::function<void(const std::string& bytes)> read;
};

/// All readers that this build has. They write to a folder that is gone with the last of them.
std::vector<FuzzedReader> fuzzed_readers();

}  // namespace mlaan::testing
