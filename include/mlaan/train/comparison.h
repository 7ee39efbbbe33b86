// Comparisons: methods × seeds trained under one budget, as runs that can be stopped and resumed.
#pragma once

#include <mlaan/train/method_spec.h>
#include <mlaan/train/trainer.h>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

/// One run of a comparison.
struct ComparedRun {
  MethodSpec spec;
  std::int64_t seed = 0;
  std::filesystem::path folder;
  std::int64_t epochs = 0;  ///< to train for; 0: those of the comparison's settings
};

/// The name of a run's folder: "mlm,mlm.window=3-seed0" for the spec mlm:mlm.window=3. Colons
/// become commas, and characters other than letters, digits and . _ = + - become %XX, so that two
/// specs never share a folder; a long name is truncated and ends with a hash of the whole spec.
std::string run_folder_name(const std::string& spec, std::int64_t seed);

/// Every spec with every seed: all specs with the first seed come first, so that a comparison that
/// is stopped has complete pairs, and a machine whose speed drifts affects all methods alike.
/// \param specs as MethodSpec::parse() reads them.
/// \throws UserError for an empty list, for duplicates, and as MethodSpec::parse().
std::vector<ComparedRun> compared_runs(const std::vector<std::string>& specs,
                                       const std::vector<std::int64_t>& seeds,
                                       const std::filesystem::path& folder);

/// Parses a list such as "0,1,2".
/// \throws UserError for anything but whole numbers.
std::vector<std::int64_t> parse_seeds(const std::string& list);

/// The settings of one run: the comparison's, overridden by the spec's own, the method, the seed
/// and the folder.
Settings settings_of(const ComparedRun& run, const Settings& comparison);

/// The requested settings, with the values that a run begun in this folder has settled by
/// measuring, so that they are not measured again. Unchanged if no run was begun there.
/// \throws UserError, naming the first key and both values, if the folder's config.toml differs in
///         a setting that results depend on, or that is part of the comparison.
Settings with_recorded_settings(const std::filesystem::path& folder, const Settings& asked);

/// A run that was trained to its end.
struct FinishedRun {
  ComparedRun run;
  TrainSummary summary;
};

/// Callbacks through which a comparison reads, stores and reports its runs.
struct ComparisonRecords {
  /// Returns the summary of the run in this folder, if it was trained to its end.
  std::function<std::optional<TrainSummary>(const std::filesystem::path& folder)> read;
  /// Stores the summary of a run, complete or not, for a later read().
  std::function<void(const std::filesystem::path& folder, const Settings& settings,
                     const TrainSummary& summary)>
      write;
  /// Returns further observers of a run.
  std::function<std::vector<std::unique_ptr<TrainObserver>>(const std::filesystem::path& folder)>
      observers;
  /// Polled after every step; true writes a checkpoint. May be empty.
  std::function<bool()> should_save = {};
  /// Called with a line of text before each run: "run 3 of 12: mlm, seed 1".
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  /// Called after each run with all finished runs.
  std::function<void(const std::vector<FinishedRun>&)> finished =
      [](const std::vector<FinishedRun>&) {};
};

/// Trains the runs that are not finished; runs already begun resume from their last checkpoint. All
/// folders are checked before the first run starts.
/// \param settings that all runs share; a memory format that is left to be measured is measured
///         once for all runs.
/// \param should_stop polled after every step and before every run; true makes the current run
///         write a checkpoint and ends the comparison.
/// \param group of processes that train every run together; all of them call this function with
///        records of the same folders, and rank 0 alone locks, writes and reports.
/// \return the finished runs, in order: all of them unless it was stopped.
/// \throws UserError as with_recorded_settings(), and for settings that only single runs can have
///         (memory, baseline).
/// \throws Error naming the run whose training diverged.
std::vector<FinishedRun> run_comparison(const Settings& settings, const DataSource& data,
                                        const std::vector<ComparedRun>& runs,
                                        const ComparisonRecords& records,
                                        const std::function<bool()>& should_stop = {},
                                        ProcessGroup* group = nullptr);

}  // namespace mlaan
