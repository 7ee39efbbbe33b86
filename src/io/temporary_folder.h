// A temporary folder.
#pragma once

#include <filesystem>
#include <string>

namespace mlaan {

/// RAII guard for a new folder below the system's temporary folder; deleted with its content.
class TemporaryFolder {
 public:
  /// \param purpose becomes part of the name: "dry-run". \throws Error if it cannot be created.
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
