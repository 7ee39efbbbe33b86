// Tables for people: columns aligned, numbers to the right.
#pragma once

#include <string>
#include <vector>

namespace mlaan {

/// A table of text cells.
class Table {
 public:
  explicit Table(std::vector<std::string> header) : rows_{std::move(header)} {}

  /// Cells are shown as lines that do nothing to a terminal, whatever their bytes.
  void add(const std::vector<std::string>& row);

  /// Every line indented by two blanks. A column whose cells all begin with a digit, a sign or "-"
  /// for nothing is aligned to the right.
  std::string to_string() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

/// A number with so many digits behind the point; "-" for what is no number.
std::string fixed(double value, int digits);

}  // namespace mlaan
