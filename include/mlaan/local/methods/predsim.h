// PredSim: local classifier and similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656).
//
// Update rule: each module has two supervisions of its own: (1−β)·cross-entropy of a linear layer
// that reads the maps after average pooling, and β·similarity matching of the output of a 3×3
// convolution. Each can be used alone.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct PredsimOptions {
  static constexpr const char* section = "predsim";
  std::string loss = "predsim";  ///< or "pred" or "sim": one of the losses alone, with weight 1
  double beta = 0.99;            ///< weight of similarity matching in "predsim", from 0 to 1
  std::int64_t features = 4096;  ///< most features that the linear layer reads

  void describe(FieldList& fields);
};

namespace methods {

Host predsim_host(const PredsimOptions& options = {});
Plan predsim(const Backbone& backbone, const Partition& partition,
             const PredsimOptions& options = {}, std::uint64_t seed = 0);

MethodEntry predsim_entry();

}  // namespace methods
}  // namespace mlaan
