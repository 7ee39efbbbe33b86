// Finds picture files in folders.
#include "data/picture_files.h"

#include "core/joined.h"

#include <mlaan/core/error.h>
#include <mlaan/data/picture.h>

#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <system_error>
#include <utility>

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

/// Device and inode of a folder, with links followed.
using Identity = std::pair<dev_t, ino_t>;

std::optional<Identity> identity_of(const fs::path& path) {
  struct stat found {};
  if (stat(path.c_str(), &found) != 0) return std::nullopt;
  return Identity(found.st_dev, found.st_ino);
}

/// Collects files recursively, and follows links to folders except to one of the folders above.
class Walk {
 public:
  void enter(const fs::path& folder) {
    const auto identity = identity_of(folder);
    if (!identity || std::find(above_.begin(), above_.end(), *identity) != above_.end()) return;
    above_.push_back(*identity);
    for (const auto& path : entries_of_folder(folder)) {
      if (path.filename().string().front() == '.') continue;
      std::error_code unreadable;
      if (fs::is_directory(path, unreadable)) {
        enter(path);
      } else if (is_named_like_a_picture(path) && fs::is_regular_file(path, unreadable)) {
        files_.push_back(path);
      }
    }
    above_.pop_back();
  }

  std::vector<fs::path> files() && { return std::move(files_); }

 private:
  std::vector<Identity> above_;  ///< the current folder, after those that contain it
  std::vector<fs::path> files_;
};

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
  Walk walk;
  walk.enter(folder);
  std::vector<fs::path> files = std::move(walk).files();
  std::sort(files.begin(), files.end());
  return files;
}

std::string picture_extensions_text() {
  return joined(picture_extensions(), ", ");
}

}  // namespace mlaan
