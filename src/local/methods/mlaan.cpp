// MLAAN (AAAI 2025): multilaminar local modules whose cascaded nets are leap augmented.
#include <mlaan/local/methods/mlaan.h>

namespace mlaan::methods {

Plan mlaan(const Backbone& backbone, const Partition& partition, const MlaanOptions& options,
           std::uint64_t seed) {
  return make_local_plan(backbone, partition, greedy_host(options.host), multilaminar(options.mlm),
                         leap_augmented(backbone, partition, options.lam), seed);
}

MethodEntry mlaan_entry() {
  return {"mlaan", "multilaminar local modules with leap augmented cascaded nets",
          [](OptionSet& options) {
            options.get<MlmOptions>();
            options.get<LamOptions>();
            options.get<GreedyOptions>();
          },
          [](const Backbone& backbone, const Partition& partition, OptionSet& options,
             std::uint64_t seed) {
            return mlaan(backbone, partition,
                         {options.get<MlmOptions>(), options.get<LamOptions>(),
                          options.get<GreedyOptions>()},
                         seed);
          }};
}

}  // namespace mlaan::methods
