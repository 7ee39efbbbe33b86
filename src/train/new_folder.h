// Removes a new run's files and folders again if the run fails before its first step.
#pragma once

#include <filesystem>
#include <vector>

namespace mlaan {

/// RAII guard: if a run fails before its first step, its first files are removed, and so are the
/// folders that were made for it, if they are empty then. What existed before is kept.
class NewFolder {
 public:
  /// Must be constructed before the folder is made, apart from the folders in `made`.
  /// \param folder of the run; may exist already.
  /// \param made folders that were just made for it, the innermost first.
  explicit NewFolder(const std::filesystem::path& folder,
                     const std::vector<std::filesystem::path>& made = {});
  /// Removes the new files and folders unless the run has logged a step or saved anything.
  ~NewFolder();
  NewFolder(const NewFolder&) = delete;
  NewFolder& operator=(const NewFolder&) = delete;

 private:
  std::filesystem::path folder_;
  std::vector<std::filesystem::path> new_files_;
  std::vector<std::filesystem::path> new_folders_;  ///< the innermost first
};

}  // namespace mlaan
