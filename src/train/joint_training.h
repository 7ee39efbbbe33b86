// What several processes that train one network agree on and sum up.
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

// In this file, a null group means that the process trains alone; nothing is exchanged then.

/// Whether this process is rank 0, which writes files and reports on the training.
inline bool is_first(const ProcessGroup* group) {
  return group == nullptr || group->rank() == 0;
}

/// This process's part of a list: contiguous, and as equal in length as possible.
std::vector<std::int64_t> share_of(const std::vector<std::int64_t>& all, const ProcessGroup* group);

/// Whether any process says yes.
bool any_of_all(bool own, ProcessGroup* group, const std::string& what);

/// Does work in rank 0 alone, while the others wait; without a group, here.
/// \throws what the work throws, in rank 0; PeerError in the others.
void by_first(ProcessGroup* group, const std::function<void()>& work, const std::string& what);

/// Lets rank 0 settle settings, and broadcasts its values of `keys` to all processes.
Settings settled_by_first(const Settings& settings, ProcessGroup* group,
                          const std::vector<std::string>& keys,
                          const std::function<Settings(const Settings&)>& settle,
                          const std::string& what);

/// \throws UserError if the number of processes does not match dist.processes and dist.stages.
void check_ranks(const Settings& settings, const ProcessGroup* group);

/// Lets rank 0 measure settings for all: see measured_settings() and with_stage_split().
Settings measured_by_first(const Settings& settings, const DataSource& data,
                           const MethodEntry& method, ProcessGroup* group);

/// What a process asks for after a step.
struct Wishes {
  bool stop = false;
  bool save = false;
  bool save_by_time = false;  ///< because the time between two checkpoints has passed
  bool end = false;           ///< because the training's time limit has passed
};

/// The decision of all processes after a step: whatever at least one of them asked for. Processes
/// exchange their wishes while the step is computed; wishes that arise later count for the next
/// step.
class JointDecision {
 public:
  JointDecision(ProcessGroup* group, std::function<Wishes()> wishes);
  Wishes wait();

 private:
  std::function<Wishes()> wishes_;
  torch::Tensor votes_;
  std::unique_ptr<Exchange> exchange_;
};

/// The sums of an epoch as numbers that can be all-reduced.
std::vector<double> counts_as_numbers(const TrainingState& counted);
/// Adds such numbers to a state. \return the position after them.
const double* add_counts(TrainingState& state, const double* numbers);

/// Adds the sums of all processes to a state that is equal in all of them.
void add_counts(TrainingState& state, const TrainingState& counted, ProcessGroup& group);

/// The losses of a step's whole batch, from those of each process's share of it.
std::vector<double> joint_losses(const std::vector<double>& own, double share, ProcessGroup* group);

/// This process's traffic since an earlier moment.
Traffic traffic_since(const ProcessGroup* group, const Traffic& before);

/// A report for each process, in order of rank; empty for a single process.
/// \param spent this process's traffic in `steps` steps.
std::vector<RankReport> rank_reports(ProcessGroup* group, const Traffic& spent,
                                     std::int64_t peak_bytes, std::int64_t steps);

/// A text to compare data sets by: the size, and a hash of three images and labels.
std::string fingerprint(const Dataset& dataset);

}  // namespace mlaan
