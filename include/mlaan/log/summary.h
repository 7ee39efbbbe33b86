// The summary of a run, for people and for programs.
#pragma once

#include <mlaan/train/evaluate.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/trainer.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// Method, modules, test error, images/s, peak bytes, … one line a run.
std::string summary_table(const std::vector<TrainSummary>& summaries);

/// Writes {"test_error": …, "epochs": …, …, "results": […]}: the fields of the first summary, and
/// all of them in `results`. Errors are in per cent, `null` where there is none.
void write_summary(const std::filesystem::path& path, const Settings& settings,
                   const std::vector<TrainSummary>& summaries);

/// The first of the summaries that write_summary() wrote. What it does not hold is left at its
/// default. \throws UserError for a file that is not there or not what write_summary() writes.
TrainSummary read_summary(const std::filesystem::path& path);

/// An early exit's error on the test images.
struct ExitError {
  std::string output;  ///< "exit_3"
  double error = 0;    ///< per cent
};

/// What came of testing a checkpoint.
struct EvalSummary {
  std::string checkpoint;
  std::string method;
  std::string model;
  std::string dataset;
  std::int64_t epochs = 0;  ///< that it was trained for
  std::int64_t batch = 0;
  Score score;
  std::vector<ExitError> exits;  ///< of a network that has any
  std::vector<std::string> class_names;
  double images_per_second = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t parameters = 0;
};

std::string summary_table(const EvalSummary& summary);
/// One line an exit.
std::string exits_table(const EvalSummary& summary);
/// One line a class: its images, their errors, and what they are most often mistaken for.
std::string class_table(const EvalSummary& summary);
/// Writes {"test_error": …, "test_error_top5": …, …, "classes": [{"name": …, …}], "results": […]};
/// errors are in per cent, `null` where there is none.
void write_summary(const std::filesystem::path& path, const EvalSummary& summary);

}  // namespace mlaan
