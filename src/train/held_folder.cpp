// The folder of a run or a comparison while it goes on.
#include "train/held_folder.h"

#include "train/joint_training.h"

namespace mlaan {

HeldFolder::HeldFolder(const std::filesystem::path& folder, ProcessGroup* group,
                       const std::string& what) {
  by_first(
      group,
      [&] {
        unless_begun_.emplace(folder);
        lock_.emplace(folder);
      },
      what);
}

}  // namespace mlaan
