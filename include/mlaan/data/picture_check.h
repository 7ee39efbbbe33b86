// Reads every picture in a folder, to find those that cannot be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

struct PictureCheck {
  std::int64_t pictures = 0;         ///< number of files that were read
  std::vector<std::string> damaged;  ///< path and error of each file that cannot be read
};

/// \param folder of pictures, searched with its subfolders.
/// \param threads that read, at least 1.
/// \param progress is called with the number of pictures read and in all, by one thread at a time.
/// \throws UserError for a folder that does not exist or contains no picture.
PictureCheck check_pictures(
    const std::filesystem::path& folder, int threads,
    const std::function<void(std::int64_t done, std::int64_t of)>& progress = {});

}  // namespace mlaan
