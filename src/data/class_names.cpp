// Reads the names of classes from text files of data sets.
#include "data/class_names.h"

#include <algorithm>
#include <fstream>
#include <system_error>

namespace mlaan {

std::vector<std::string> numbered_classes(std::int64_t classes) {
  std::vector<std::string> names;
  for (std::int64_t c = 0; c < classes; ++c) names.push_back(std::to_string(c));
  return names;
}

std::vector<std::string> read_class_names(const std::filesystem::path& path, std::int64_t classes) {
  std::vector<std::string> names;
  std::error_code error;
  std::ifstream file;
  if (std::filesystem::is_regular_file(path, error)) file.open(path);
  for (std::string line; std::getline(file, line);) {
    line.erase(std::remove(line.begin(), line.end(), '\r'), line.end());
    if (!line.empty()) names.push_back(line);
  }
  return static_cast<std::int64_t>(names.size()) == classes ? names : numbered_classes(classes);
}

}  // namespace mlaan
