// Which modules of a network a process trains, where several train some each.
#pragma once

#include <mlaan/local/stage_transport.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace mlaan {

/// Modules in a row, on several processes: the stages of a training. Each runs, for one batch after
/// the other, what a step does with its own modules and with the nets that read their outputs; what
/// other stages need of that is sent to them, and nothing else is.
struct Stages {
  std::vector<std::size_t> first_modules{0};  ///< of each stage, from module 0 on
  std::size_t own = 0;                        ///< the stage that this process is
  std::shared_ptr<StageTransport> transport;  ///< null where there is one stage

  std::size_t count() const { return first_modules.size(); }
  bool is_one() const { return count() == 1; }
  std::size_t of_module(std::size_t module) const {
    std::size_t stage = 0;
    while (stage + 1 < count() && first_modules[stage + 1] <= module) ++stage;
    return stage;
  }
  /// The module behind a stage's last one, of so many.
  std::size_t end_of(std::size_t stage, std::size_t modules) const {
    return stage + 1 < count() ? first_modules[stage + 1] : modules;
  }
  /// Whether the module is the last one of a stage that another stage follows.
  bool is_border(std::size_t module) const { return of_module(module) != of_module(module + 1); }
};

/// \throws UserError naming the modules that begin a stage where they are not ascending modules of
///         a network of so many.
void check(const Stages& stages, std::size_t modules);

}  // namespace mlaan
