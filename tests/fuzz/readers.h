// The readers of files that nobody has checked, as fuzzers call them.
#pragma once

#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/train/export_info.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace mlaan::testing {

/// A reader of one file format.
struct FuzzedReader {
  std::string name;  ///< "idx"
  /// Contents of files that it reads without an error.
  std::vector<std::string> seeds;
  /// Reads a file of this content. \return false if it was refused by a UserError, as is right; any
  /// other exception is not.
  std::function<bool(const std::string& bytes)> read;
  /// For one test: fewer of a reader that takes its time.
  int files = 1500;
};

/// Where fuzzed files are written to.
using FuzzFolder = std::shared_ptr<const TemporaryFolder>;

/// A reader of the file `file` of the folder.
inline FuzzedReader reader_of_file(const FuzzFolder& folder, const std::string& name,
                                   const std::string& file, std::vector<std::string> seeds,
                                   std::function<void(const std::filesystem::path&)> read) {
  return {name, std::move(seeds),
          [folder, path = *folder / file, read = std::move(read)](const std::string& bytes) {
            write_bytes(path, bytes);
            try {
              read(path);
            } catch (const UserError&) {
              return false;
            }
            return true;
          }};
}

/// What stands beside an exported network: of a seed.
ExportInfo some_export_info();

/// Of what runs and comparisons leave, and of what they are begun with.
std::vector<FuzzedReader> readers_of_runs(const FuzzFolder& folder);

/// Of TorchScript files.
std::vector<FuzzedReader> readers_of_scripts(const FuzzFolder& folder);

/// All readers that this build has. They write to a folder that is gone with the last of them.
std::vector<FuzzedReader> fuzzed_readers();

}  // namespace mlaan::testing
