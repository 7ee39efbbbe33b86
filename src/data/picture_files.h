// Finding the files that are taken for pictures.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// Those in a folder and in the folders below it, linked ones too, in the order of their paths;
/// none whose name, or whose folder's name, begins with a dot. \throws UserError naming a folder
/// that cannot be read.
std::vector<std::filesystem::path> picture_files(const std::filesystem::path& folder);

/// ".jpg, .jpeg, …".
std::string picture_extensions_text();

}  // namespace mlaan
