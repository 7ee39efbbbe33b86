// A folder for the time being.
#pragma once

#include <filesystem>
#include <string>

namespace mlaan {

/// A folder of its own below the system's temporary one; it goes with all that is in it.
class TemporaryFolder {
 public:
  /// \param purpose a part of its name: "dry-run". \throws Error where none can be made.
  explicit TemporaryFolder(const std::string& purpose);
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace mlaan
