// Unpacks archives that are not trusted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace mlaan {

/// Unpacks a tar archive, compressed in any usual way, or a zip archive into a folder, which must
/// not exist and is made. Files and folders alone are written, and nothing outside of it: an
/// archive with absolute paths, paths through "..", links, devices or the same file twice is
/// refused whole. \param most_bytes that the files may have together. \param stop asked now and
/// then; true ends it. \return whether all of it was unpacked; false where `stop` ended it. What is
/// in the folder then,
///         or after an error, is a part.
/// \throws UserError naming the archive, the entry and what is wrong with it.
/// \throws Error if a file cannot be written.
bool unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
            std::int64_t most_bytes, const std::function<bool()>& stop);

}  // namespace mlaan
