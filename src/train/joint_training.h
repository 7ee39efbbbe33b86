// What several processes that train one network settle and count together.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/dist/process_group.h>
#include <mlaan/local/method.h>
#include <mlaan/train/observer.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/state.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace mlaan {

// Everywhere here a null group stands for one process alone, of which nothing has to be settled.

/// Whether this is the process that writes files and tells of the training.
inline bool is_first(const ProcessGroup* group) {
  return group == nullptr || group->rank() == 0;
}

/// The part of a list that is this process's: in a row, as equal as can be.
std::vector<std::int64_t> share_of(const std::vector<std::int64_t>& all, const ProcessGroup* group);

/// The settings as rank 0 settles them: with what these keys are there.
Settings settled_by_first(const Settings& settings, ProcessGroup* group,
                          const std::vector<std::string>& keys,
                          const std::function<Settings(const Settings&)>& settle,
                          const std::string& what);

/// \throws UserError where the processes that train are not as many as dist.processes and
///         dist.stages say.
void check_ranks(const Settings& settings, const ProcessGroup* group);

/// The settings as rank 0 measures them: see measured_settings() and with_stage_split().
Settings measured_by_first(const Settings& settings, const DataSource& data,
                           const MethodEntry& method, ProcessGroup* group);

/// What a process would like to happen after a step.
struct Wishes {
  bool stop = false;
  bool save = false;
  bool save_by_time = false;  ///< because the time between two checkpoints is over
  bool end = false;           ///< because the training's time is over
};

/// What all do after a step: whatever one of them has wished for. Several processes exchange their
/// wishes while the step is computed, so what comes up in the meantime is for the step after it.
class JointDecision {
 public:
  JointDecision(ProcessGroup* group, std::function<Wishes()> wishes);
  Wishes wait();

 private:
  std::function<Wishes()> wishes_;
  torch::Tensor votes_;
  std::unique_ptr<Exchange> exchange_;
};

/// What has been counted of an epoch, as numbers that processes can add up.
std::vector<double> counts_as_numbers(const TrainingState& counted);
/// Adds such numbers to a state. \return what follows them.
const double* add_counts(TrainingState& state, const double* numbers);

/// Adds what all processes have counted of an epoch to a state that all have alike.
void add_counts(TrainingState& state, const TrainingState& counted, ProcessGroup& group);

/// The losses of a step's whole batch, from those of each process's share of it.
std::vector<double> joint_losses(const std::vector<double>& own, double share, ProcessGroup* group);

/// What each process took, in their order; nothing of one alone.
/// \param before traffic before the first of these steps.
std::vector<RankReport> rank_reports(ProcessGroup* group, const Traffic& before,
                                     std::int64_t peak_bytes, std::int64_t steps);

/// What is compared of a data set: its size, and some of its images and labels.
std::string fingerprint(const Dataset& dataset);

}  // namespace mlaan
