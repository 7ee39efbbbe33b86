#include "support/errors.h"

#include <mlaan/train/paired_test.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace mlaan::testing {
namespace {

const double nothing = std::numeric_limits<double>::quiet_NaN();

TEST(PairedTest, DeviationsAreThoseOfSamples) {
  EXPECT_DOUBLE_EQ(mean({1, 2, 6}), 3);
  EXPECT_DOUBLE_EQ(sample_deviation({1, 2, 6}), std::sqrt(7.0));
  EXPECT_DOUBLE_EQ(sample_deviation({5, 5}), 0);
  EXPECT_TRUE(std::isnan(mean({})));
  EXPECT_TRUE(std::isnan(sample_deviation({5})));
}

TEST(PairedTest, ChancesAreThoseOfPrintedTables) {
  struct Line {
    double t;
    std::int64_t degrees_of_freedom;
    double chance;
  };
  // Two-sided points of Student's t, as statistics books print them.
  for (const Line& line : std::vector<Line>{{12.7062047, 1, 0.05},
                                            {63.6567412, 1, 0.01},
                                            {4.30265273, 2, 0.05},
                                            {3.18244631, 3, 0.05},
                                            {5.84090931, 3, 0.01},
                                            {2.77644511, 4, 0.05},
                                            {2.57058184, 5, 0.05},
                                            {2.26215716, 9, 0.05},
                                            {2.22813885, 10, 0.05},
                                            {4.58689386, 10, 0.001},
                                            {1.98397152, 100, 0.05}}) {
    EXPECT_NEAR(student_t_two_sided(line.t, line.degrees_of_freedom), line.chance, 1e-8)
        << "t = " << line.t << ", " << line.degrees_of_freedom << " degrees of freedom";
    EXPECT_DOUBLE_EQ(student_t_two_sided(-line.t, line.degrees_of_freedom),
                     student_t_two_sided(line.t, line.degrees_of_freedom));
  }
  EXPECT_DOUBLE_EQ(student_t_two_sided(0, 1), 1);
  EXPECT_DOUBLE_EQ(student_t_two_sided(0, 2), 1);
  EXPECT_NEAR(student_t_two_sided(1e300, 3), 0, 1e-15);
  EXPECT_TRUE(std::isnan(student_t_two_sided(nothing, 3)));
  expect_user_error([] { student_t_two_sided(1, 0); }, {"degrees_of_freedom = 0", "at least 1"});
}

TEST(PairedTest, PairsAreTestedByTheirDifferences) {
  // Differences 1, 2, 3: mean 2, deviation 1, t = 2·√3.
  const PairedTest test = paired_test({10, 20, 30}, {11, 22, 33});
  EXPECT_EQ(test.pairs, 3);
  EXPECT_DOUBLE_EQ(test.difference, 2);
  EXPECT_DOUBLE_EQ(test.t, 2 * std::sqrt(3.0));
  EXPECT_NEAR(test.p, 0.0741799, 1e-6);
  EXPECT_DOUBLE_EQ(paired_test({11, 22, 33}, {10, 20, 30}).p, test.p);
}

TEST(PairedTest, WhereNothingCanBeSaidThereIsNoChance) {
  const PairedTest one = paired_test({1}, {3});
  EXPECT_DOUBLE_EQ(one.difference, 2);
  EXPECT_TRUE(std::isnan(one.p));
  const PairedTest equal = paired_test({0.1, 0.2, 0.3}, {0.4, 0.5, 0.6});
  EXPECT_NEAR(equal.difference, 0.3, 1e-12);
  EXPECT_TRUE(std::isnan(equal.p)) << "equal differences, but for rounding";
  const PairedTest gap = paired_test({1, nothing, 3}, {2, 5, nothing});
  EXPECT_EQ(gap.pairs, 1);
  EXPECT_DOUBLE_EQ(gap.difference, 1);
  EXPECT_TRUE(std::isnan(paired_test({}, {}).difference));
  expect_user_error([] { paired_test({1}, {1, 2}); }, {"2 and 1"});
}

TEST(PairedTest, HasConfidenceIntervals) {
  // Student's t for 95 %: Abramowitz and Stegun, table 26.10.
  EXPECT_NEAR(student_t_bound(0.05, 1), 12.706, 1e-3);
  EXPECT_NEAR(student_t_bound(0.05, 2), 4.303, 1e-3);
  EXPECT_NEAR(student_t_bound(0.05, 10), 2.228, 1e-3);
  EXPECT_NEAR(student_t_bound(0.01, 4), 4.604, 1e-3);
  // Deviation 1 of three values: 4.303 / sqrt(3).
  EXPECT_NEAR(confidence_half_width({1, 2, 3}), 2.484, 1e-3);
  EXPECT_TRUE(std::isnan(confidence_half_width({1})));
  EXPECT_NEAR(paired_test({10, 20, 30}, {11, 22, 33}).half_width, 2.484, 1e-3);
}

}  // namespace
}  // namespace mlaan::testing
