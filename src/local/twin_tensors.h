// Where the twins of a plan are, and which modules they follow.
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
  std::size_t link = 0;    ///< of the plan's averages
  std::size_t place = 0;   ///< in that
  std::size_t net = 0;     ///< in the order of nets(plan)
  std::size_t module = 0;  ///< that it follows
  std::string source;      ///< name of the parameter
};

/// Those of a plan; averages that follow no module, or are in no net, are left out.
std::vector<TwinTensor> twin_tensors(const Backbone& backbone, const Plan& plan);

/// \param net_stages the stage of each net.
FollowedModules followed_modules(const std::vector<TwinTensor>& twins, const Stages& stages,
                                 const std::vector<std::size_t>& net_stages);

}  // namespace mlaan
