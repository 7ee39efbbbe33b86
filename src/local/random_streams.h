// The random streams of a training step: one for each module and each net.
#pragma once

#include <mlaan/core/random.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlaan {

/// Seed of the random stream of module `module` in step `step`.
inline std::uint64_t module_stream(std::uint64_t seed, std::size_t module, std::int64_t step) {
  return random_key({seed, random_key("module"), module, static_cast<std::uint64_t>(step)});
}

/// Seed of the random stream of the net of this name, behind module `module`, in step `step`.
inline std::uint64_t net_stream(std::uint64_t seed, const std::string& net, std::size_t module,
                                std::int64_t step) {
  return random_key({seed, random_key(net), module, static_cast<std::uint64_t>(step)});
}

/// Whether step `step` evaluates the supervisions, of the given probability, by the net of this
/// name at module `module`.
inline bool is_evaluated(double probability, std::uint64_t seed, const std::string& net,
                         std::size_t module, std::int64_t step) {
  if (probability >= 1) return true;
  const std::uint64_t stream = net_stream(seed, net, module, step);
  return RandomStream(random_key({stream, random_key("evaluated")})).uniform() < probability;
}

}  // namespace mlaan
