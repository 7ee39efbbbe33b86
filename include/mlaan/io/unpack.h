// Unpacks archives from untrusted sources.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

namespace mlaan {

/// Unpacks a tar archive, gzip-compressed or not, into a folder, which must not exist and is
/// created. Only regular files and folders are written, and nothing outside the folder: an archive
/// with absolute paths, paths through "..", links, devices or the same file twice is refused.
/// \param most_bytes limit for the total size of the files, in bytes.
/// \param stop polled while unpacking; true ends it.
/// \return whether the whole archive was unpacked; false if `stop` ended it. Then, and after an
///         error, the folder holds a part of the files.
/// \throws UserError naming the archive, the entry and what is wrong with it.
/// \throws Error if a file cannot be written.
bool unpack(const std::filesystem::path& archive, const std::filesystem::path& folder,
            std::int64_t most_bytes, const std::function<bool()>& stop);

}  // namespace mlaan
