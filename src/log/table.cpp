// Text tables with aligned columns, numbers to the right.
#include "core/byte_text.h"

#include <mlaan/log/table.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <cstdio>

namespace mlaan {
namespace {

/// The number of characters, which is the number of bytes that are not UTF-8 continuation bytes.
std::size_t width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char letter) {
    return (static_cast<unsigned char>(letter) & 0xc0) != 0x80;
  }));
}

bool looks_like_number(const std::string& cell) {
  return cell.empty() || cell == "-" || std::isdigit(static_cast<unsigned char>(cell[0])) != 0 ||
         ((cell[0] == '-' || cell[0] == '+') && cell.size() > 1 &&
          std::isdigit(static_cast<unsigned char>(cell[1])) != 0);
}

}  // namespace

void Table::add(const std::vector<std::string>& row) {
  rows_.emplace_back();
  for (const auto& cell : row) rows_.back().push_back(printable(cell));
}

std::string Table::to_string() const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  std::vector<bool> right(rows_.front().size(), rows_.size() > 1);
  for (std::size_t r = 0; r < rows_.size(); ++r) {
    for (std::size_t c = 0; c < rows_[r].size(); ++c) {
      widths[c] = std::max(widths[c], width(rows_[r][c]));
      if (r > 0 && !looks_like_number(rows_[r][c])) right[c] = false;
    }
  }
  std::string text;
  for (const auto& row : rows_) {
    std::string line = " ";
    for (std::size_t c = 0; c < row.size(); ++c) {
      const std::string padding(widths[c] - width(row[c]), ' ');
      line += " " + (right[c] ? padding + row[c] : row[c] + padding) + " ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string fixed(double value, int digits) {
  if (!std::isfinite(value)) return "-";
  std::array<char, 64> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.*f", digits, value);
  return buffer.data();
}

}  // namespace mlaan
