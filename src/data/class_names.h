// Names of classes, as data sets write them into text files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// The lines of a file that are not empty; "0", "1", … if they are not `classes` in number, or the
/// file is not there.
std::vector<std::string> read_class_names(const std::filesystem::path& path, std::int64_t classes);

/// "0", "1", …
std::vector<std::string> numbered_classes(std::int64_t classes);

}  // namespace mlaan
