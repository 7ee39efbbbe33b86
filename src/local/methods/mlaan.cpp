// MLAAN (AAAI 2025): multilaminar local modules whose cascaded nets are leap augmented.
#include <mlaan/local/methods/mlaan.h>

namespace mlaan::methods {

Plan mlaan(const Backbone& backbone, const Partition& partition, const MlaanOptions& options,
           std::uint64_t seed) {
  return make_plan({partition, greedy_host(options.host), multilaminar(options.mlm),
                    leap_augmented(backbone, partition, options.lam)},
                   backbone, seed);
}

MethodEntry mlaan_entry() {
  return composed_entry("mlaan", "multilaminar local modules with leap augmented cascaded nets",
                        greedy_entry(), {mlm_addition(), lam_addition()});
}

}  // namespace mlaan::methods
