// The methods that a benchmark measures, with what is settled before the first step.
#pragma once

#include "train/contestant.h"

#include <mlaan/data/batch.h>
#include <mlaan/data/dataset.h>
#include <mlaan/dist/process_group.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/phases.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// One phase of one of the methods compared.
struct SpecPhase {
  std::size_t spec = 0;
  TrainingPhase phase;
};

/// The methods to measure, in one layout and, if they are to be compared with that, on rank 0 in
/// one process too.
class Competition {
 public:
  /// \param progress called with a line of text about what was measured.
  /// \param group null: one process measures, whatever dist.processes says.
  /// \throws UserError for methods that cannot be measured.
  Competition(const Settings& asked, const BenchmarkOptions& options,
              const std::function<void(const std::string&)>& progress, ProcessGroup* group);

  /// The reference method is added in front unless it is listed without settings of its own.
  const std::vector<MethodSpec>& specs() const { return specs_; }

  /// The phases of every method, in the methods' order.
  std::vector<SpecPhase> phases() const;
  Contestant enter(SpecPhase entered) const;

  /// Whether this process measures them in one process too.
  bool has_one_process() const { return alone_.has_value(); }
  /// The same phases in one process that takes the whole batch.
  std::vector<SpecPhase> phases_alone() const;
  Contestant enter_alone(SpecPhase entered) const;

 private:
  std::vector<MethodSpec> specs_;
  DataSource data_;
  ProcessGroup* group_;
  Batch batch_;
  std::vector<Settings> runs_;  ///< of each method
  std::optional<Settings> alone_;
  std::optional<Batch> batch_alone_;
};

}  // namespace mlaan
