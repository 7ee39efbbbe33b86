// Finds the known name that a mistyped one most likely meant.
#include <mlaan/core/suggest.h>

#include <algorithm>
#include <cctype>
#include <numeric>
#include <utility>

namespace mlaan {
namespace {

bool same_letter(char left, char right) {
  return std::tolower(static_cast<unsigned char>(left)) ==
         std::tolower(static_cast<unsigned char>(right));
}

/// Levenshtein distance without regard to case; swapping two neighbours counts as two edits.
std::size_t edit_distance(const std::string& left, const std::string& right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t substitution = diagonal + (same_letter(left[i], right[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, substitution});
    }
  }
  return row.back();
}

/// Length of the common prefix: mistakes are rarer at the start.
std::size_t common_start(const std::string& left, const std::string& right) {
  const std::size_t shorter = std::min(left.size(), right.size());
  std::size_t count = 0;
  while (count < shorter && same_letter(left[count], right[count])) ++count;
  return count;
}

/// A key may be given without its section: "window" for "mlm.window".
bool is_last_part(const std::string& name, const std::string& known) {
  return known.size() > name.size() + 1 &&
         known.compare(known.size() - name.size(), name.size(), name) == 0 &&
         known[known.size() - name.size() - 1] == '.';
}

}  // namespace

std::string nearest_name(const std::string& name, const std::vector<std::string>& known) {
  std::string best;
  const std::size_t farthest = std::max<std::size_t>(2, name.size() / 2);
  std::pair<std::size_t, std::size_t> best_rank{farthest + 1, 0};
  for (const auto& candidate : known) {
    const std::size_t distance = is_last_part(name, candidate) ? 1 : edit_distance(name, candidate);
    const std::pair<std::size_t, std::size_t> rank{distance,
                                                   name.size() - common_start(name, candidate)};
    if (rank < best_rank) {
      best = candidate;
      best_rank = rank;
    }
  }
  return best;
}

std::string unknown_name(const std::string& kind, const std::string& name,
                         const std::vector<std::string>& known) {
  std::string message = "unknown " + kind + " '" + name + "'";
  const std::string nearest = nearest_name(name, known);
  if (!nearest.empty()) message += "; did you mean '" + nearest + "'?";
  constexpr std::size_t longest_list = 24;
  if (known.size() <= longest_list) {
    message += nearest.empty() ? "; known: " : " Known: ";
    for (std::size_t i = 0; i < known.size(); ++i) message += (i == 0 ? "" : ", ") + known[i];
  }
  return message;
}

}  // namespace mlaan
