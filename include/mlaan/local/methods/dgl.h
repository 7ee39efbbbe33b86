// Decoupled greedy learning (Belilovsky et al. 2020, arXiv:1901.08164).
//
// Update rule: one supervision of each module by itself: cross-entropy of a head with a convolution
// and a hidden layer, weight 1.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct DglOptions {
  static constexpr const char* section = "dgl";
  std::string head = "1c2f";
  std::int64_t feature_dim = 128;
  double widen = 1;
  std::string token = "mean";

  void describe(FieldList& fields);
};

namespace methods {

Host dgl_host(const DglOptions& options = {});
Plan dgl(const Backbone& backbone, const Partition& partition, const DglOptions& options = {},
         std::uint64_t seed = 0);

MethodEntry dgl_entry();

}  // namespace methods
}  // namespace mlaan
