// MLAAN with cheap leap nets.
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>

namespace mlaan {

void LeanOptions::describe(FieldList& fields) {
  fields.add("pool", pool, "lam.pool of the lean method", at_least(1));
  fields.add("narrow", narrow, "lam.narrow of the lean method", at_least(1));
  fields.add("length", length, "lam.length of the lean method", at_least(1));
}

namespace methods {

Plan mlaan_lean(const Backbone& backbone, const Partition& partition, const LeanOptions& options,
                const MlmOptions& mlm, LamOptions lam, const GreedyOptions& host,
                std::uint64_t seed) {
  lam.pool = options.pool;
  lam.narrow = options.narrow;
  lam.length = options.length;
  return mlaan(backbone, partition, {mlm, std::move(lam), host}, seed);
}

MethodEntry mlaan_lean_entry() {
  return {"mlaan-lean", "MLAAN with leap nets that are pooled, narrow and short",
          [](OptionSet& options) {
            options.get<LeanOptions>();
            options.get<MlmOptions>();
            options.get<LamOptions>();
            options.get<GreedyOptions>();
          },
          [](const Backbone& backbone, const Partition& partition, OptionSet& options,
             std::uint64_t seed) {
            return mlaan_lean(backbone, partition, options.get<LeanOptions>(),
                              options.get<MlmOptions>(), options.get<LamOptions>(),
                              options.get<GreedyOptions>(), seed);
          }};
}

}  // namespace methods
}  // namespace mlaan
