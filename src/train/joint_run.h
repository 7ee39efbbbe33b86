// A training run as one of the processes that train one network together.
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

/// What a run with several processes does besides training. Of a run that is alone there is nothing
/// to do.
class JointRun {
 public:
  /// \param group null for a run that is alone; outlives it.
  JointRun(const Settings& settings, ProcessGroup* group);

  ProcessGroup* group() const { return group_; }
  bool is_alone() const { return group_ == nullptr; }
  std::int64_t processes() const { return is_alone() ? 1 : group_->size(); }
  /// Whether each process has some of the modules, and all have the same batches.
  bool has_stages() const { return has_stages_; }
  /// Steps that one stage may be ahead of another. What all have to settle after a step is settled
  /// so many steps later, so that none waits for that.
  std::int64_t steps_ahead() const { return has_stages_ ? processes() : 0; }
  /// Of every batch, this process's.
  BatchShare batch_share() const;

  /// Has an engine train a plan as one of the processes.
  void join(EngineOptions& options, const Plan& plan) const;

  /// Sees to it that all processes begin with the same: refuses what differs, and takes rank 0's
  /// weights.
  /// \return what people are to be told of stages that wait for later ones.
  std::vector<std::string> begin(PhasedEngine& phases, const DataSource& data, std::int64_t step);

  /// Gives all processes the same weights: those of all stages; or, where all have all weights
  /// already, what rank 0's batch normalisations have seen, which is what checkpoints hold.
  void take_same_weights(Engine& engine, const std::optional<WeightAverage>& average,
                         std::int64_t step);
  /// Gives all processes what these tensors are in rank 0.
  void take_from_first(const std::vector<NamedTensor>& tensors, const std::string& what) const;

  /// What the optimizers of other stages keep, for a checkpoint; given in all processes at once.
  std::vector<NamedTensor> state_of_others(const Engine& engine) const;
  /// Gives this process the optimizers' state of all stages, for a phase that begins.
  void take_all_state(Engine& engine) const;
  /// Drops what the optimizers of other stages keep.
  void drop_state_of_others(const Engine& engine) const;

  /// The modules, from 1, that stages begin with; empty where there are none.
  std::vector<std::int64_t> first_modules(const Engine& engine) const;
  /// What each process took since begin().
  std::vector<RankReport> reports(const Engine& engine, std::int64_t peak_bytes,
                                  std::int64_t steps) const;

 private:
  Settings settings_;
  ProcessGroup* group_;
  bool has_stages_;
  Traffic traffic_before_;
  std::int64_t shared_step_ = -1;  ///< after which all stages' weights were given to all
};

}  // namespace mlaan
