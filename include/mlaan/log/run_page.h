// A run as a section of an HTML page.
#pragma once

#include <mlaan/log/run_record.h>
#include <mlaan/train/network_examination.h>
#include <mlaan/train/profile.h>
#include <mlaan/train/trainer.h>

#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// All that is known of a run.
struct RunStory {
  std::string name;                     ///< the heading
  std::string settings;                 ///< as TOML; "": not known
  std::vector<TrainSummary> summaries;  ///< of the run; empty if it is not finished
  RunRecord record;
  std::vector<std::string> class_names;
  std::optional<NetworkExamination> examination;
  std::optional<StepProfile> profile;
  std::vector<std::string> remarks;  ///< what could not be measured, and why
};

/// The run's name as HTML.
std::string run_heading(const RunStory& story);

/// An HTML section with facts, curves, and, if measured, time per module, bytes over a step, the
/// confusion matrix and the worst pictures.
std::string run_section(const RunStory& story);

/// A whole HTML page.
/// \param body the sections as HTML.
std::string report_page(const std::string& title, const std::string& body);

}  // namespace mlaan
