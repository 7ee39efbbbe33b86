// Means, standard deviations, and the paired t-test.
#include "core/undefined_number.h"

#include <mlaan/core/error.h>
#include <mlaan/train/paired_test.h>

#include <c10/util/MathConstants.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace mlaan {
namespace {

/// P(|T| ≤ t) of Student's t distribution, for t ≥ 0.
double chance_within(double t, std::int64_t degrees_of_freedom) {
  const auto nu = static_cast<double>(degrees_of_freedom);
  const double angle = std::atan(t / std::sqrt(nu));
  const double cosine = std::cos(angle);
  const bool odd = degrees_of_freedom % 2 == 1;
  // Terms cos^i, where i has the parity of ν − 2; each is the one before times (i − 1) / i · cos².
  double sum = 0;
  double term = odd ? cosine : 1;
  for (std::int64_t i = odd ? 1 : 0; i <= degrees_of_freedom - 2; i += 2) {
    if (i > 1) term *= static_cast<double>(i - 1) / static_cast<double>(i) * cosine * cosine;
    sum += term;
  }
  return odd ? 2 / c10::pi<double> * (angle + std::sin(angle) * sum) : std::sin(angle) * sum;
}

}  // namespace

double mean(const std::vector<double>& values) {
  if (values.empty()) return undefined_number;
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double sample_deviation(const std::vector<double>& values) {
  if (values.size() < 2) return undefined_number;
  const double centre = mean(values);
  double squares = 0;
  for (const double value : values) squares += (value - centre) * (value - centre);
  return std::sqrt(squares / static_cast<double>(values.size() - 1));
}

double student_t_two_sided(double t, std::int64_t degrees_of_freedom) {
  if (degrees_of_freedom < 1) {
    throw UserError("degrees_of_freedom = " + std::to_string(degrees_of_freedom) +
                    " is not accepted; expected at least 1");
  }
  if (std::isnan(t)) return undefined_number;
  return std::clamp(1 - chance_within(std::abs(t), degrees_of_freedom), 0.0, 1.0);
}

double student_t_bound(double chance, std::int64_t degrees_of_freedom) {
  double low = 0;
  double high = 1;
  while (student_t_two_sided(high, degrees_of_freedom) > chance) high *= 2;
  for (int halving = 0; halving < 100; ++halving) {
    const double middle = (low + high) / 2;
    (student_t_two_sided(middle, degrees_of_freedom) > chance ? low : high) = middle;
  }
  return high;
}

double confidence_half_width(const std::vector<double>& values) {
  if (values.size() < 2) return undefined_number;
  const auto count = static_cast<double>(values.size());
  return student_t_bound(0.05, static_cast<std::int64_t>(values.size()) - 1) *
         sample_deviation(values) / std::sqrt(count);
}

PairedTest paired_test(const std::vector<double>& first, const std::vector<double>& second) {
  if (first.size() != second.size()) {
    throw UserError("a paired test needs as many second values as first ones, not " +
                    std::to_string(second.size()) + " and " + std::to_string(first.size()));
  }
  std::vector<double> differences;
  double largest = 0;
  for (std::size_t i = 0; i < first.size(); ++i) {
    if (!std::isfinite(first[i]) || !std::isfinite(second[i])) continue;
    differences.push_back(second[i] - first[i]);
    largest = std::max({largest, std::abs(first[i]), std::abs(second[i])});
  }
  PairedTest test;
  test.pairs = static_cast<std::int64_t>(differences.size());
  test.difference = mean(differences);
  test.t = undefined_number;
  test.p = undefined_number;
  test.half_width = confidence_half_width(differences);
  const double deviation = sample_deviation(differences);
  // Differences that are all equal have a spread by rounding errors only, which does not count.
  const double rounding = 8 * std::numeric_limits<double>::epsilon() * largest;
  if (!(deviation > rounding)) return test;
  test.t = test.difference / (deviation / std::sqrt(static_cast<double>(differences.size())));
  test.p = student_t_two_sided(test.t, test.pairs - 1);
  return test;
}

}  // namespace mlaan
