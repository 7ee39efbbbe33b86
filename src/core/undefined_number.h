// The number that stands for one that was not or cannot be computed.
#pragma once

#include <limits>

namespace mlaan {

constexpr double undefined_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace mlaan
