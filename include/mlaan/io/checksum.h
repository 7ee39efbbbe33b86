// Checksums of files, as publishers state them.
#pragma once

#include <filesystem>
#include <string>

namespace mlaan {

/// The checksum of a file's bytes: the name of the algorithm and hexadecimal digits, as in
/// "md5:c32a1d4ab5d03f1284b67883e8d87530".
/// \param algorithm "md5" or "sha256".
/// \throws UserError for another algorithm, and for a file that cannot be read.
std::string file_checksum(const std::filesystem::path& path, const std::string& algorithm);

}  // namespace mlaan
