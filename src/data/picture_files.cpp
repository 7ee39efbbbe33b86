// Finding the files that are taken for pictures.
#include "data/picture_files.h"

#include <mlaan/core/error.h>
#include <mlaan/data/picture.h>

#include <algorithm>
#include <cctype>
#include <system_error>

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

void add_pictures(const fs::path& folder, std::vector<fs::path>& files) {
  for (const auto& path : entries_of_folder(folder)) {
    if (path.filename().string().front() == '.') continue;
    // A link that leads to itself or nowhere is no folder.
    std::error_code error;
    const auto status = fs::symlink_status(path, error);
    if (fs::is_directory(status)) {
      add_pictures(path, files);
    } else if (is_named_like_a_picture(path) && !fs::is_directory(path, error)) {
      files.push_back(path);
    }
  }
}

}  // namespace

std::vector<fs::path> entries_of_folder(const fs::path& folder) {
  std::vector<fs::path> entries;
  std::error_code error;
  fs::directory_iterator entry(folder, error);
  for (; !error && entry != fs::directory_iterator(); entry.increment(error)) {
    entries.push_back(entry->path());
  }
  if (error) throw UserError("cannot read the folder " + folder.string() + ": " + error.message());
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::vector<fs::path> picture_files(const fs::path& folder) {
  std::vector<fs::path> files;
  add_pictures(folder, files);
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
