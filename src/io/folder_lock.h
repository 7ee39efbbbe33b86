// Locks folders, so that two processes do not write the same files.
#pragma once

#include <filesystem>

namespace mlaan {

/// An exclusive lock on a folder. The operating system releases it when the process ends in any
/// way. The lock file, .lock, names the holder. On file systems without locks, nothing is locked.
class FolderLock {
 public:
  /// Creates the folder if it does not exist.
  /// \throws UserError if it cannot be created, or if another process holds the lock.
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
