// Refuses paths that are no files.
#include "core/require_file.h"

#include <mlaan/core/error.h>

#include <system_error>

namespace mlaan {

namespace fs = std::filesystem;

void require_file(const fs::path& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (fs::is_regular_file(status)) return;
  if (fs::is_directory(status)) {
    throw UserError(path.string() + " is a folder, no file; accepted: a file, such as one in it");
  }
  if (fs::exists(status)) {
    throw UserError(path.string() +
                    " is a device, a pipe or a socket, no file; accepted: a regular one");
  }
  throw UserError("there is no file " + path.string());
}

}  // namespace mlaan
