// PredSim: local classifier and similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656).
//
// Update rule: two supervisions of each module by itself: (1−β)·cross-entropy of a linear layer
// that reads the maps averaged over a few positions, and β·similarity matching of the maps behind a
// convolution 3×3. Each can stand alone.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct PredsimOptions {
  static constexpr const char* section = "predsim";
  std::string loss = "predsim";
  double beta = 0.99;
  std::int64_t features = 4096;

  void describe(FieldList& fields);
};

namespace methods {

Host predsim_host(const PredsimOptions& options = {});
Plan predsim(const Backbone& backbone, const Partition& partition,
             const PredsimOptions& options = {}, std::uint64_t seed = 0);

MethodEntry predsim_entry();

}  // namespace methods
}  // namespace mlaan
