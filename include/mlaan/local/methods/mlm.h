// Multilaminar local modules (MLM), the first half of MLAAN (AAAI 2025).
//
// Update rule: each module j has an independent supervision of [j..j], weight 0.001, and each
// window of k neighbouring modules a cascaded supervision of [j−k+1..j], weight 0.999. A module's
// gradient is the sum over all supervisions that contain it.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/greedy.h>

#include <cstdint>

namespace mlaan {

struct MlmOptions {
  static constexpr const char* section = "mlm";
  std::int64_t window = 2;            ///< modules that a cascaded supervision spans (k)
  std::int64_t stride = 1;            ///< see Multilaminar::stride
  double independent_weight = 0.001;  ///< of each independent supervision
  double cascaded_weight = 0.999;     ///< of each cascaded supervision
  bool independent_at_ends = true;    ///< see Multilaminar::independent_at_ends
  bool published_code = false;        ///< see Multilaminar::published_code

  void describe(FieldList& fields);
};

namespace methods {

Multilaminar multilaminar(const MlmOptions& options);
Plan mlm(const Backbone& backbone, const Partition& partition, const MlmOptions& options = {},
         const GreedyOptions& host = {}, std::uint64_t seed = 0);

MethodEntry mlm_entry();
/// Gives a host independent and cascaded supervisions, each through the host's nets.
AdditionEntry mlm_addition();

}  // namespace methods
}  // namespace mlaan
