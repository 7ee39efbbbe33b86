// Finding the files that are taken for pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// What is in a folder, in the order of the paths. \throws UserError where it cannot be read.
std::vector<std::filesystem::path> entries_of_folder(const std::filesystem::path& folder);

/// Those in a folder and in the folders below it, linked ones too, in the order of their paths;
/// none whose name, or whose folder's name, begins with a dot. \throws UserError naming a folder
/// that cannot be read.
std::vector<std::filesystem::path> picture_files(const std::filesystem::path& folder);

/// ".jpg, .jpeg, …".
std::string picture_extensions_text();

}  // namespace mlaan
