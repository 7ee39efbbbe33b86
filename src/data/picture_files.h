// Finds picture files in folders.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// The entries of a folder, sorted by path. \throws UserError if it cannot be read.
std::vector<std::filesystem::path> entries_of_folder(const std::filesystem::path& folder);

/// The pictures in a folder and its subfolders, including linked ones, sorted by path. Files and
/// folders whose name begins with a dot are skipped. \throws UserError naming a folder that cannot
/// be read.
std::vector<std::filesystem::path> picture_files(const std::filesystem::path& folder);

/// ".jpg, .jpeg, …".
std::string picture_extensions_text();

}  // namespace mlaan
