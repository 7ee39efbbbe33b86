// How much memory there is in all.
#pragma once

#include <cstdint>

namespace mlaan::measure {

/// Bytes that this process could come to have: those of the machine and what it can swap out, or
/// less where the process is in a control group (a container) that may have less. Found once.
std::int64_t machine_bytes();

}  // namespace mlaan::measure
