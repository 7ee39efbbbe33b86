// What the operations that run a net have in common.
#pragma once

#include <mlaan/local/operation.h>

#include <cstddef>
#include <vector>

namespace mlaan {

/// What a forward or a backward pass of a net reads and adds to, besides what it is given.
/// \param twins modules that share parameters with the net.
inline Access net_access(std::size_t net, const std::vector<std::size_t>& twins) {
  Access access{{{Resource::Kind::net_parameters, 0, net}},
                {{Resource::Kind::net_gradients, 0, net}}};
  for (const auto twin : twins) access.reads.push_back({Resource::Kind::module_parameters, twin});
  return access;
}

}  // namespace mlaan
