// Where tests find what they read and run.
#include "support/folders.h"

namespace mlaan::testing {

std::filesystem::path shared_folder() {
  return MLAAN_SHARED_FOLDER;
}

std::filesystem::path test_folder() {
  return MLAAN_TEST_FOLDER;
}

std::string program() {
  return MLAAN_PROGRAM;
}

}  // namespace mlaan::testing
