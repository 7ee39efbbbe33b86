// The summary of a run, for people and for programs.
#pragma once

#include <mlaan/train/config.h>
#include <mlaan/train/trainer.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// Method, modules, test error, images/s, peak bytes, … one line a run.
std::string summary_table(const std::vector<TrainSummary>& summaries);

/// Writes {"test_error": …, "epochs": …, …, "results": […]}: the fields of the first summary, and
/// all of them in `results`. Errors are in per cent, `null` where there is none.
void write_summary(const std::filesystem::path& path, Config& config,
                   const std::vector<TrainSummary>& summaries);

}  // namespace mlaan
