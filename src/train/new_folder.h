// A run's folder that goes again where nothing came of the run.
#pragma once

#include <filesystem>
#include <vector>

namespace mlaan {

/// Takes back what a run begins with if it fails before its first step: its first files, and the
/// folders that were made for it, if they are then empty. What was there before stays.
class NewFolder {
 public:
  /// To be made before the folder is, but for what is told.
  /// \param folder that may be there already.
  /// \param made folders that were made for it just now, the innermost first.
  explicit NewFolder(const std::filesystem::path& folder,
                     const std::vector<std::filesystem::path>& made = {});
  /// Takes it back, unless a step was logged in it, or anything saved.
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> new_files_;
  std::vector<std::filesystem::path> new_folders_;  ///< the innermost first
};

}  // namespace mlaan
