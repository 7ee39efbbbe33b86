// The program's version and the LibTorch that it was built with.
#include "cli/version.h"

#include <torch/version.h>

namespace mlaan::cli {

std::string version() {
  std::string text = "mlaan " MLAAN_VERSION;
  const std::string revision = MLAAN_GIT_REVISION;
  if (!revision.empty()) text += " (git " + revision + ")";
  return text + ", LibTorch " TORCH_VERSION + (MLAAN_LIBTORCH_CUDA ? ", CUDA" : ", CPU");
}

}  // namespace mlaan::cli
