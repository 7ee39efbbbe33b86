// The layout of a training in several processes, in words.
#pragma once

#include <mlaan/train/observer.h>

#include <string>

namespace mlaan {

/// "2 processes with 64 images each: 128 images a step", or "2 stages, of the modules 1 to 7 and 8
/// to 15"; "" for one process.
std::string layout_text(const RunReport& report);

}  // namespace mlaan
