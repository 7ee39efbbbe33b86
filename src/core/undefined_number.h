// The value of numbers that were not, or cannot be, computed.
#pragma once

#include <limits>

namespace mlaan {

constexpr double undefined_number = std::numeric_limits<double>::quiet_NaN();

}  // namespace mlaan
