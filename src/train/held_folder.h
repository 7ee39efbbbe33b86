// The folder of a run or a comparison while it goes on.
#pragma once

#include "io/folder_lock.h"
#include "train/new_folder.h"

#include <mlaan/dist/process_group.h>

#include <filesystem>
#include <optional>
#include <string>

namespace mlaan {

/// RAII guard: locks a folder, and removes it if it was made for a run that fails before its first
/// step. Of several processes rank 0 alone does so, since it alone writes there.
class HeldFolder {
 public:
  /// All processes call it; what rank 0 throws ends all of them.
  /// \param what the folder is, for the messages of the others.
  /// \throws UserError as FolderLock.
  HeldFolder(const std::filesystem::path& folder, ProcessGroup* group, const std::string& what);

 private:
  std::optional<NewFolder> unless_begun_;
  std::optional<FolderLock> lock_;
};

}  // namespace mlaan
