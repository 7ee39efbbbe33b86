// Summaries of runs and of evaluations, as tables and as JSON.
#pragma once

#include <mlaan/train/evaluate.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/trainer.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A table with one line per run: method, modules, test error, images/s, peak bytes, …
std::string summary_table(const std::vector<TrainSummary>& summaries);

/// Writes {"test_error": …, "epochs": …, …, "results": […]}: the fields of the first summary, and
/// all summaries in `results`. Errors are in per cent, `null` if there are none.
void write_summary(const std::filesystem::path& path, const Settings& settings,
                   const std::vector<TrainSummary>& summaries);

/// Reads the first of the summaries in a file. Fields that the file lacks keep their defaults.
/// \throws UserError for a file that does not exist, or that write_summary() has not written.
TrainSummary read_summary(const std::filesystem::path& path);

/// An early exit's error on the test images.
struct ExitError {
  std::string output;  ///< "exit_3"
  double error = 0;    ///< per cent
};

/// The result of testing a checkpoint.
struct EvalSummary {
  std::string checkpoint;
  std::string method;
  std::string model;
  std::string dataset;
  std::int64_t epochs = 0;  ///< number of training epochs
  std::int64_t batch = 0;
  Score score;
  std::vector<ExitError> exits;  ///< of a network with early exits
  std::vector<std::string> class_names;
  double images_per_second = 0;
  std::int64_t peak_bytes = 0;
  std::int64_t parameters = 0;
  std::vector<RankReport> ranks;  ///< of each process; empty for a single one
};

std::string summary_table(const EvalSummary& summary);
/// A table with one line per exit.
std::string exits_table(const EvalSummary& summary);
/// A table with one line per class: its images, their errors, and the class that they are most
/// often mistaken for.
std::string class_table(const EvalSummary& summary);
/// Writes {"test_error": …, "test_error_top5": …, …, "classes": [{"name": …, …}], "results": […]};
/// errors are in per cent, `null` if there are none.
void write_summary(const std::filesystem::path& path, const EvalSummary& summary);

}  // namespace mlaan
