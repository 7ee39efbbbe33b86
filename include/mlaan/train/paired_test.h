// Means, deviations, and whether two lists of paired numbers differ: the paired t-test.
#pragma once

#include <cstdint>
#include <vector>

namespace mlaan {

/// NaN without values.
double mean(const std::vector<double>& values);

/// Sample standard deviation, with n − 1 in the denominator; NaN with fewer than two values.
double sample_deviation(const std::vector<double>& values);

/// The chance that the size of Student's t is above |t|, by the finite sums for whole degrees of
/// freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). Exact to about 1e-15, not relatively:
/// chances below that come out as 0. NaN for a t that is no number.
/// \throws UserError for fewer than one degree of freedom.
double student_t_two_sided(double t, std::int64_t degrees_of_freedom);

/// The size of Student's t that is exceeded by chance so often: 12.71 for 0.05 and one degree of
/// freedom. What a mean's standard error is multiplied by for an interval that holds the true mean
/// with 1 − chance. \param chance above 0 and below 1.
/// \throws UserError for fewer than one degree of freedom.
double student_t_bound(double chance, std::int64_t degrees_of_freedom);

/// Half the width of the 95 % confidence interval of the mean; NaN with fewer than two values.
double confidence_half_width(const std::vector<double>& values);

/// How far apart two lists of paired numbers are.
struct PairedTest {
  std::int64_t pairs = 0;
  double difference = 0;  ///< mean of second − first; NaN without pairs
  double t = 0;           ///< NaN with fewer than two pairs, or where all differences are the same
  double p = 0;           ///< two-sided; NaN where t is
  /// Half the width of the 95 % confidence interval of the difference; NaN with fewer than two
  /// pairs.
  double half_width = 0;
};

/// The t-test of the pairs (first[i], second[i]); pairs of which one is no number are left out.
/// \throws UserError for lists of different lengths.
PairedTest paired_test(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace mlaan
