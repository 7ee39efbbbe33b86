// Reads the names of classes from text files of data sets.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// The non-empty lines of a file; "0", "1", … if the file is missing or the number of lines differs
/// from `classes`.
std::vector<std::string> read_class_names(const std::filesystem::path& path, std::int64_t classes);

/// "0", "1", …
std::vector<std::string> numbered_classes(std::int64_t classes);

}  // namespace mlaan
