// Refuses paths that are no files.
#pragma once

#include <filesystem>

namespace mlaan {

/// \throws UserError if there is nothing, a folder, or no regular file (a device, a pipe).
void require_file(const std::filesystem::path& path);

}  // namespace mlaan
