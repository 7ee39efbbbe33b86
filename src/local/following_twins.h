// The twins of a plan: which modules they follow, and how many steps behind.
#pragma once

#include "local/twin_tensors.h"

#include <mlaan/local/plan.h>
#include <mlaan/local/stages.h>
#include <mlaan/nn/backbone.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <vector>

namespace mlaan {

/// Moves the twins of a plan after the updates of a step. With a delay of d steps, twins follow the
/// parameters of d updates ago, and do not move at the first d updates.
class FollowingTwins {
 public:
  /// \param net_stages the stage of each net. Only twins in nets of the own stage are moved.
  /// \throws UserError for a delay, or several stages, if a twin follows no module or is in no net.
  FollowingTwins(const Backbone& backbone, const Plan& plan, const Stages& stages,
                 const std::vector<std::size_t>& net_stages, std::int64_t delay);

  /// To be called before the first step: twins that stay equal from then on share memory.
  void share_memory();

  /// Moves all twins after all updates of a step. For a process that trains all modules.
  void follow_all();

  /// The modules that twins follow, including frozen ones.
  const FollowedModules& followed() const { return followed_; }
  /// Moves the own stage's twins of a module whose parameters this process has up to date.
  void follow(std::size_t module);
  /// The followed parameters of a module as one uint8 tensor, for twins on other stages.
  torch::Tensor packed(std::size_t module) const;
  /// Where follow_received() gets the next parameters from: nowhere yet (twins rest), a snapshot in
  /// the history, or the next message of the module's stage.
  enum class Next { rests, known, received };
  Next next(std::size_t module);
  /// Moves the own stage's twins of another stage's module.
  /// \param message the result of packed() on that stage; undefined if next() returned `known`.
  void follow_received(std::size_t module, const torch::Tensor& message);

  /// Snapshots of the own stage's modules that twins have yet to follow, as "twins.AGE.NAME".
  std::vector<NamedTensor> state() const;
  /// Restores the snapshots of all modules; ignores other names.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  using Snapshot = std::vector<torch::Tensor>;  ///< a copy of a module's followed parameters

  struct Followed {
    std::vector<NamedTensor> sources;     ///< the followed parameters, each once
    std::vector<ParameterAverage> links;  ///< averages in nets of the own stage
    std::deque<Snapshot> history;         ///< snapshots to follow, oldest first
    std::int64_t behind = 0;              ///< for another stage's module: updates not followed yet
  };

  void move(const Followed& followed, const Snapshot& snapshot) const;
  Snapshot unpacked(const Followed& followed, const torch::Tensor& message) const;

  Stages stages_;
  std::int64_t delay_;
  std::vector<ParameterAverage> all_;
  FollowedModules followed_;
  std::map<std::size_t, Followed> modules_;
};

}  // namespace mlaan
