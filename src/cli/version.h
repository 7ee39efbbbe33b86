// The program's version and the LibTorch that it was built with.
#pragma once

#include <string>

namespace mlaan::cli {

/// "mlaan 0.1.0 (git 1a2b3c4), LibTorch 2.6.0, CPU".
std::string version();

}  // namespace mlaan::cli
