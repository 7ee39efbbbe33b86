// Greedy layer-wise training (Belilovsky et al. 2019, arXiv:1812.11446), all modules at once.
//
// Update rule: each module has one supervision of its own, the cross-entropy of a small head,
// weight 1.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct GreedyOptions {
  static constexpr const char* section = "greedy";
  std::string head = "linear";     ///< type of head (see HeadOptions::type)
  std::int64_t feature_dim = 128;  ///< width of the hidden linear layers of an XcYf head
  double widen = 1;                ///< factor on the widths of an XcYf head
  std::string token = "mean";      ///< "mean" or "class" (see HeadOptions::token)

  void describe(FieldList& fields);
};

namespace methods {

Host greedy_host(const GreedyOptions& options = {});
Plan greedy(const Backbone& backbone, const Partition& partition, const GreedyOptions& options = {},
            std::uint64_t seed = 0);

MethodEntry greedy_entry();

}  // namespace methods
}  // namespace mlaan
