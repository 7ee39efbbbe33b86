// Which nets hold the twins of a plan, and which modules the twins follow.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/local/stage_schedule.h>
#include <mlaan/nn/backbone.h>

#include <cstddef>
#include <string>
#include <vector>

namespace mlaan {

/// A tensor of a net that follows a parameter of a module.
struct TwinTensor {
  std::size_t link = 0;    ///< index in the plan's averages
  std::size_t place = 0;   ///< index within that average
  std::size_t net = 0;     ///< index in nets(plan)
  std::size_t module = 0;  ///< the module it follows
  std::string source;      ///< name of the parameter it follows
};

/// The twin tensors of a plan, except averages that follow no module or are in no net.
std::vector<TwinTensor> twin_tensors(const Backbone& backbone, const Plan& plan);

/// For each followed module, which stages have twins of it.
/// \param net_stages the stage of each net.
FollowedModules followed_modules(const std::vector<TwinTensor>& twins, const Stages& stages,
                                 const std::vector<std::size_t>& net_stages);

}  // namespace mlaan
