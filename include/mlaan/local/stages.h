// Stages: which modules of a network each of several processes trains.
#pragma once

#include <mlaan/local/stage_transport.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace mlaan {

/// The stages of a training. Each stage is a row of modules on a process of its own. For every
/// batch it runs the operations of a step for its own modules and for the nets that read their
/// outputs, and sends other stages the tensors that they need, and nothing else.
struct Stages {
  std::vector<std::size_t> first_modules{0};  ///< the first module of each stage, from 0
  std::size_t own = 0;                        ///< the stage of this process, from 0
  std::shared_ptr<StageTransport> transport;  ///< null if there is one stage

  std::size_t count() const { return first_modules.size(); }
  bool is_one() const { return count() == 1; }
  /// The stage of a module.
  std::size_t of_module(std::size_t module) const {
    std::size_t stage = 0;
    while (stage + 1 < count() && first_modules[stage + 1] <= module) ++stage;
    return stage;
  }
  /// The module after a stage's last one.
  /// \param modules number of modules.
  std::size_t end_of(std::size_t stage, std::size_t modules) const {
    return stage + 1 < count() ? first_modules[stage + 1] : modules;
  }
  /// Whether the module is the last one of a stage that another stage follows.
  bool is_border(std::size_t module) const { return of_module(module) != of_module(module + 1); }
};

/// Checks that stages fit a network.
/// \param modules number of modules.
/// \throws UserError naming the first modules of the stages, if they are not in ascending order, do
///         not begin with module 0, or are not in the network.
void check(const Stages& stages, std::size_t modules);

}  // namespace mlaan
