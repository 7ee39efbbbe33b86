// Reads every picture of a folder, to find those that cannot be read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

struct PictureCheck {
  std::int64_t pictures = 0;         ///< files that were read
  std::vector<std::string> damaged;  ///< of each that cannot be read, its path and what is wrong
};

/// \param folder of pictures, in it or in folders below.
/// \param threads that read, at least 1.
/// \param progress is told how many have been read and how many there are, by one thread at a time.
/// \throws UserError for a folder that is not there or holds no picture.
PictureCheck check_pictures(
    const std::filesystem::path& folder, int threads,
    const std::function<void(std::int64_t done, std::int64_t of)>& progress = {});

}  // namespace mlaan
