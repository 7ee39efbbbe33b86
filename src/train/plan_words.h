// Words that are both read and written in plan files.
#pragma once

namespace mlaan {

/// Separates the first and the last unit of a module.
constexpr const char* between_units = " to ";

}  // namespace mlaan
