// The random streams of a training step: one for each module and each net.
#pragma once

#include <mlaan/core/random.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlaan {

/// The stream that module `module` draws from in step `step`.
inline std::uint64_t module_stream(std::uint64_t seed, std::size_t module, std::int64_t step) {
  return random_key({seed, random_key("module"), module, static_cast<std::uint64_t>(step)});
}

/// The stream that the net of this name draws from, behind module `module`, in step `step`.
inline std::uint64_t net_stream(std::uint64_t seed, const std::string& net, std::size_t module,
                                std::int64_t step) {
  return random_key({seed, random_key(net), module, static_cast<std::uint64_t>(step)});
}

/// Whether the supervisions by the net of this name behind module `module` are evaluated in step
/// `step`, when they are with this probability.
inline bool is_evaluated(double probability, std::uint64_t seed, const std::string& net,
                         std::size_t module, std::int64_t step) {
  if (probability >= 1) return true;
  const std::uint64_t stream = net_stream(seed, net, module, step);
  return RandomStream(random_key({stream, random_key("evaluated")})).uniform() < probability;
}

}  // namespace mlaan
