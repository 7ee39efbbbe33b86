// The memory that this process can have at most.
#pragma once

#include <cstdint>

namespace mlaan::measure {

/// Bytes that this process can have at most: the machine's memory and swap space, or the limit of
/// its control group (a container) if that is lower. Determined once.
std::int64_t machine_bytes();

}  // namespace mlaan::measure
