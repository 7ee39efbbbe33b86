// Means, deviations, and the paired t-test.
#pragma once

#include <cstdint>
#include <vector>

namespace mlaan {

/// The mean; NaN without values.
double mean(const std::vector<double>& values);

/// Sample standard deviation, with n − 1 in the denominator; NaN with fewer than two values.
double sample_deviation(const std::vector<double>& values);

/// The two-sided p-value of Student's t, that is, the probability of a value of size above |t|, by
/// the finite sums for whole degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4).
/// The absolute error is about 1e-15, so smaller probabilities come out as 0. NaN if t is NaN.
/// \throws UserError for fewer than one degree of freedom.
double student_t_two_sided(double t, std::int64_t degrees_of_freedom);

/// The size of Student's t that is exceeded with probability `chance`: 12.71 for 0.05 and one
/// degree of freedom. A mean's standard error times this is half the width of the interval that
/// contains the true mean with probability 1 − chance.
/// \param chance above 0 and below 1.
/// \throws UserError for fewer than one degree of freedom.
double student_t_bound(double chance, std::int64_t degrees_of_freedom);

/// Half the width of the 95 % confidence interval of the mean; NaN with fewer than two values.
double confidence_half_width(const std::vector<double>& values);

/// The result of a paired t-test.
struct PairedTest {
  std::int64_t pairs = 0;
  double difference = 0;  ///< mean of second − first; NaN without pairs
  double t = 0;           ///< NaN with fewer than two pairs, or where all differences are the same
  double p = 0;           ///< two-sided; NaN if t is NaN
  /// Half the width of the 95 % confidence interval of the difference; NaN with fewer than two
  /// pairs.
  double half_width = 0;
};

/// The t-test of the pairs (first[i], second[i]); pairs with a NaN are left out.
/// \throws UserError for lists of different lengths.
PairedTest paired_test(const std::vector<double>& first, const std::vector<double>& second);

}  // namespace mlaan
