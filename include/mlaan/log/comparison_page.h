// A comparison as a section of an HTML page.
#pragma once

#include <mlaan/log/run_record.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A mean over seeds and its 95 % confidence interval.
struct SeedInterval {
  double mean = 0;     ///< NaN: not known
  double lowest = 0;   ///< NaN with fewer than two seeds
  double highest = 0;  ///< NaN with fewer than two seeds
};

/// The confidence interval by Student's t.
/// \param deviation standard deviation of the sample.
SeedInterval interval_of_mean(double mean, double deviation, std::int64_t seeds);

struct StoryMethod {
  std::string name;
  std::int64_t seeds = 0;
  std::int64_t modules = 0;
  SeedInterval validation_error;  ///< per cent
  SeedInterval test_error;        ///< per cent
  SeedInterval test_difference;   ///< to the first method, paired by seed; NaN for the first itself
  double p = 0;                   ///< of that difference; NaN: not known
  std::int64_t parameters = 0;
  std::int64_t auxiliary_parameters = 0;
  std::int64_t peak_bytes = 0;
  double peak_ratio = 0;
  double images_per_second = 0;
  double seconds = 0;
  double time_ratio = 0;
};

struct StoryRun {
  std::string method;
  std::int64_t seed = 0;
  std::filesystem::path folder;
  RunRecord record;
};

/// What comparison.json and the runs' logs contain.
struct ComparisonStory {
  std::string name;
  std::string model;
  std::string dataset;
  std::int64_t epochs = 0;
  std::int64_t runs_asked_for = 0;
  std::vector<StoryMethod> methods;
  std::vector<StoryRun> runs;
};

/// \throws UserError for a folder whose comparison.json is missing or invalid.
ComparisonStory read_comparison_story(const std::filesystem::path& folder);

/// An HTML section: errors with their intervals, differences to the first method, costs, and the
/// runs' curves.
std::string comparison_section(const ComparisonStory& story);

}  // namespace mlaan
