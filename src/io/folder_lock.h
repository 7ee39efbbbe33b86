// Locks on folders, so that two processes do not write the same files.
#pragma once

#include <filesystem>

namespace mlaan {

/// Keeps a folder to this process. The lock is the system's and ends with the process, however that
/// ends; its file, .lock, says who holds it. Where a file system has no locks, there is none.
class FolderLock {
 public:
  /// Makes the folder if it is not there.
  /// \throws UserError if it cannot be made, or if another process holds it.
  explicit FolderLock(const std::filesystem::path& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&& other) = delete;
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace mlaan
