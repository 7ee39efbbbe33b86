// A training run in one of several processes that train one network.
#pragma once

#include "train/joint_training.h"

#include <mlaan/data/loader.h>
#include <mlaan/local/engine.h>
#include <mlaan/train/phased_engine.h>
#include <mlaan/train/settings.h>
#include <mlaan/train/weight_average.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// What a run does besides training when several processes train one network. For a run in a single
/// process, every function does nothing.
class JointRun {
 public:
  /// \param group null for a run in a single process; must outlive this object.
  JointRun(const Settings& settings, ProcessGroup* group);

  ProcessGroup* group() const { return group_; }
  bool is_alone() const { return group_ == nullptr; }
  std::int64_t processes() const { return is_alone() ? 1 : group_->size(); }
  /// Whether each process trains some of the modules (stages), all on the same batches.
  bool has_stages() const { return has_stages_; }
  /// Number of steps by which one stage may be ahead of another. What the processes have to agree
  /// on after a step is agreed on this many steps later, so that no stage waits for it.
  std::int64_t steps_ahead() const { return has_stages_ ? processes() : 0; }
  /// This process's share of every batch.
  BatchShare batch_share() const;

  /// Sets up an engine's options for training a plan in this process.
  void join(EngineOptions& options, const Plan& plan) const;

  /// Makes all processes start alike: throws if their plan, data or number of steps differ, and
  /// copies rank 0's weights to all.
  /// \return notes for the user, on losses that see a part of the batch and on stages that wait for
  ///         later stages.
  std::vector<std::string> begin(PhasedEngine& phases, const DataSource& data, std::int64_t step);

  /// Makes the weights of all processes equal. With stages, each stage broadcasts its weights; else
  /// weights are equal already, and rank 0's batch normalisation statistics, which are those that
  /// checkpoints hold, are broadcast.
  void take_same_weights(Engine& engine, const std::optional<WeightAverage>& average,
                         std::int64_t step);
  /// Broadcasts these tensors from rank 0.
  void take_from_first(const std::vector<NamedTensor>& tensors, const std::string& what) const;

  /// Optimizer state of the other stages, for a checkpoint. To be called by all processes at once.
  std::vector<NamedTensor> state_of_others(const Engine& engine) const;
  /// Copies the optimizer state of all stages to this process, for a phase that begins.
  void take_all_state(Engine& engine) const;
  /// Drops the optimizer state of the other stages.
  void drop_state_of_others(const Engine& engine) const;

  /// The first module of each stage, counted from 1; empty without stages.
  std::vector<std::int64_t> first_modules(const Engine& engine) const;
  /// Peak bytes and traffic of each process since begin().
  std::vector<RankReport> reports(const Engine& engine, std::int64_t peak_bytes,
                                  std::int64_t steps) const;

 private:
  Settings settings_;
  ProcessGroup* group_;
  bool has_stages_;
  Traffic traffic_before_;
  std::int64_t shared_step_ = -1;  ///< step after which the weights were last shared
};

}  // namespace mlaan
