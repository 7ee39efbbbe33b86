// Decoupled greedy learning (Belilovsky et al. 2020, arXiv:1901.08164).
//
// Update rule: each module has one supervision of its own, the cross-entropy of a head with a
// convolution and a hidden layer, weight 1.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct DglOptions {
  static constexpr const char* section = "dgl";
  std::string head = "1c2f";       ///< type of head (see HeadOptions::type)
  std::int64_t feature_dim = 128;  ///< width of the hidden linear layers of an XcYf head
  double widen = 1;                ///< factor on the widths of an XcYf head
  std::string token = "mean";      ///< "mean" or "class" (see HeadOptions::token)

  void describe(FieldList& fields);
};

namespace methods {

Host dgl_host(const DglOptions& options = {});
Plan dgl(const Backbone& backbone, const Partition& partition, const DglOptions& options = {},
         std::uint64_t seed = 0);

MethodEntry dgl_entry();

}  // namespace methods
}  // namespace mlaan
