// A temporary folder.
#include "io/temporary_folder.h"

#include <mlaan/core/error.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

namespace mlaan {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder(const std::string& purpose) {
  std::string name = (fs::temp_directory_path() / ("mlaan-" + purpose + "-XXXXXX")).string();
  if (mkdtemp(name.data()) == nullptr) {
    throw Error("cannot make a folder " + name + ": " + std::strerror(errno));
  }
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace mlaan
