// A comparison as a part of an HTML page.
#pragma once

#include <mlaan/log/run_record.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A mean over seeds, and between which numbers the true one is with 95 %.
struct SeedInterval {
  double mean = 0;     ///< NaN: not known
  double lowest = 0;   ///< NaN with fewer than two seeds
  double highest = 0;  ///< likewise
};

/// The interval of Student's t. \param deviation of the sample.
SeedInterval interval_of_mean(double mean, double deviation, std::int64_t seeds);

struct StoryMethod {
  std::string name;
  std::int64_t seeds = 0;
  std::int64_t modules = 0;
  SeedInterval validation_error;  ///< per cent
  SeedInterval test_error;        ///< per cent
  SeedInterval test_difference;   ///< to the first method, seed by seed; NaN of the first itself
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

/// What comparison.json and the runs' logs say.
struct ComparisonStory {
  std::string name;
  std::string model;
  std::string dataset;
  std::int64_t epochs = 0;
  std::int64_t runs_asked_for = 0;
  std::vector<StoryMethod> methods;
  std::vector<StoryRun> runs;
};

/// \throws UserError for a folder whose comparison.json is not there, or none.
ComparisonStory read_comparison_story(const std::filesystem::path& folder);

/// Errors with their intervals, differences to the first method, costs, and the runs' curves.
std::string comparison_section(const ComparisonStory& story);

}  // namespace mlaan
