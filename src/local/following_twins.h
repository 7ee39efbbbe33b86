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

/// Moves the twins of a plan after the updates of a step. With a delay of d steps they follow what
/// their modules were d updates ago; until there were so many, they rest.
class FollowingTwins {
 public:
  /// \param net_stages the stage of each net. Only twins in nets of the own stage are moved.
  /// \throws UserError where a delay, or a stage, is asked of twins that follow no module.
  FollowingTwins(const Backbone& backbone, const Plan& plan, const Stages& stages,
                 const std::vector<std::size_t>& net_stages, std::int64_t delay);

  /// Ahead of the first step: twins that hold the same numbers from then on share memory.
  void share_memory();

  /// Where one process trains all modules: moves all twins, after all updates of a step.
  void follow_all();

  /// Modules that twins follow, frozen ones too.
  const FollowedModules& followed() const { return followed_; }
  /// Moves the own stage's twins of a module whose parameters are here.
  void follow(std::size_t module);
  /// What twins of other stages need of a module after an update, as one tensor.
  torch::Tensor packed(std::size_t module) const;
  /// Whether follow_received() needs the next of what its stage sends, or has enough of before.
  enum class Next { rests, known, received };
  Next next(std::size_t module);
  /// Moves the own stage's twins of another stage's module.
  /// \param message what packed() has given there; undefined where next() said `known`.
  void follow_received(std::size_t module, const torch::Tensor& message);

  /// What twins have yet to follow, as "twins.AGE.NAME": of modules of the own stage.
  std::vector<NamedTensor> state() const;
  /// Takes that of all modules; other names are let pass.
  void set_state(const std::vector<NamedTensor>& state);

 private:
  using Snapshot = std::vector<torch::Tensor>;  ///< of a module's followed parameters

  struct Followed {
    std::vector<NamedTensor> sources;     ///< the parameters that are followed, each once
    std::vector<ParameterAverage> links;  ///< of twins in nets of the own stage
    std::deque<Snapshot> history;         ///< yet to be followed, the oldest first
    std::int64_t behind = 0;              ///< of another stage: updates not followed yet
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
