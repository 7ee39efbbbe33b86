// The resources that operations which run a net have in common.
#pragma once

#include <mlaan/local/operation.h>

#include <cstddef>
#include <vector>

namespace mlaan {

/// The resources that a forward or backward pass of a net reads and writes, besides its input.
/// \param twins modules that share parameters with the net.
inline Access net_access(std::size_t net, const std::vector<std::size_t>& twins) {
  Access access{{{Resource::Kind::net_parameters, 0, net}},
                {{Resource::Kind::net_gradients, 0, net}}};
  for (const auto twin : twins) access.reads.push_back({Resource::Kind::module_parameters, twin});
  return access;
}

}  // namespace mlaan
