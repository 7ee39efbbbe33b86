// Configurations as tests write them.
#pragma once

#include <mlaan/train/config.h>

#include <string>
#include <vector>

namespace mlaan::testing {

/// The defaults with these assignments, "key=value", one after the other.
inline Settings configured(const std::vector<std::string>& assignments,
                           const std::vector<std::string>& more = {}) {
  Config config;
  for (const auto& assignment : assignments) config.apply_assignment(assignment);
  for (const auto& assignment : more) config.apply_assignment(assignment);
  return config;
}

}  // namespace mlaan::testing
