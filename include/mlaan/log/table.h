// Text tables with aligned columns, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// A table of text cells.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}

  /// Adds a row. Control characters in cells are escaped, so that no cell can control a terminal.
  void add(const std::vector<std::string>& row);

  /// The table with every line indented by two spaces. A column whose cells all begin with a digit,
  /// a sign, or "-" for a missing value is aligned to the right.
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A number with this many digits after the point; "-" for NaN.
std::string fixed(double value, int digits);

}  // namespace mlaan
