// Comparisons: methods × seeds trained under one budget, as runs that can be stopped and gone on
// with.
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

/// One run of a comparison.
struct ComparedRun {
  MethodSpec spec;
  std::int64_t seed = 0;
  std::filesystem::path folder;
  std::int64_t epochs = 0;  ///< to train it for; 0: those of the comparison
};

/// The name of a run's folder: "mlm,mlm.window=3-seed0" of the spec mlm:mlm.window=3. Colons become
/// commas, and what is no letter, digit or one of . _ = + - becomes %XX, so that two specs never
/// share a folder; a long name is cut and ends with a number made from the whole of it.
std::string run_folder_name(const std::string& spec, std::int64_t seed);

/// Every spec with every seed: first all specs with the first seed, so that a comparison that is
/// stopped has whole pairs, and a machine whose speed drifts drifts for all methods alike.
/// \param specs as MethodSpec::parse() reads them.
/// \throws UserError for an empty list, for what is listed twice, and as MethodSpec::parse().
std::vector<ComparedRun> compared_runs(const std::vector<std::string>& specs,
                                       const std::vector<std::int64_t>& seeds,
                                       const std::filesystem::path& folder);

/// Reads "0,1,2". \throws UserError for anything but whole numbers.
std::vector<std::int64_t> parse_seeds(const std::string& list);

/// The settings of a run: those of the comparison with the spec's own, method, seed and folder.
Settings settings_of(const ComparedRun& run, const Settings& comparison);

/// The settings asked for, with what a run that was begun in this folder has settled by measuring,
/// so that it is not measured again. As they are where no run was begun.
/// \throws UserError, naming the first key and both values, if the folder's config.toml differs in
///         anything that results depend on, or that is part of what is compared.
Settings with_recorded_settings(const std::filesystem::path& folder, const Settings& asked);

/// A run that was trained to its end.
struct FinishedRun {
  ComparedRun run;
  TrainSummary summary;
};

/// How a comparison follows and keeps its runs.
struct ComparisonRecords {
  /// What came of the run of this folder, if it was trained to its end.
  std::function<std::optional<TrainSummary>(const std::filesystem::path& folder)> read;
  /// Keeps what came of a run, complete or not, for the next read().
  std::function<void(const std::filesystem::path& folder, const Settings& settings,
                     const TrainSummary& summary)>
      write;
  /// Who listens to a run, besides.
  std::function<std::vector<std::unique_ptr<TrainObserver>>(const std::filesystem::path& folder)>
      observers;
  /// Asked after every step whether to write a checkpoint now; may be empty.
  std::function<bool()> should_save = {};
  /// Called with a line of text before each run: "run 3 of 12: mlm, seed 1".
  std::function<void(const std::string&)> progress = [](const std::string&) {};
  /// Called after each run with all that are finished.
  std::function<void(const std::vector<FinishedRun>&)> finished =
      [](const std::vector<FinishedRun>&) {};
};

/// Trains what is not trained yet. Runs that were begun go on from their last checkpoint. Before
/// the first one, all that is in the folders is checked.
/// \param settings the settings that all runs share; a memory format that is to be measured is
///        measured once, for all runs.
/// \param should_stop asked after every step and before every run; then the run under way writes a
///        checkpoint.
/// \return the finished runs, in order: all of them unless it was stopped.
/// \throws UserError as with_recorded_settings(), and for settings that single runs alone can have
///         (memory, baseline); Error naming the run whose training diverged.
std::vector<FinishedRun> run_comparison(const Settings& settings, const DataSource& data,
                                        const std::vector<ComparedRun>& runs,
                                        const ComparisonRecords& records,
                                        const std::function<bool()>& should_stop = {});

}  // namespace mlaan
