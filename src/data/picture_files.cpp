// Finding the files that are taken for pictures.
#include "data/picture_files.h"

#include <mlaan/data/picture.h>

#include <algorithm>
#include <cctype>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

bool is_named_like_a_picture(const fs::path& path) {
  std::string extension = path.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  const auto& known = picture_extensions();
  return std::find(known.begin(), known.end(), extension) != known.end();
}

}  // namespace

std::vector<fs::path> picture_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (auto item = fs::recursive_directory_iterator(folder);
       item != fs::recursive_directory_iterator(); ++item) {
    if (item->path().filename().string().front() == '.') {
      item.disable_recursion_pending();
    } else if (is_named_like_a_picture(item->path()) && !item->is_directory()) {
      files.push_back(item->path());
    }
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::string picture_extensions_text() {
  std::string text;
  for (const auto& extension : picture_extensions()) {
    text += (text.empty() ? "" : ", ") + extension;
  }
  return text;
}

}  // namespace mlaan
