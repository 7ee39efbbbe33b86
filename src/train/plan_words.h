// Words of plan files that are both read and written.
#pragma once

namespace mlaan {

/// Between the first and the last unit of a module.
constexpr const char* between_units = " to ";

}  // namespace mlaan
