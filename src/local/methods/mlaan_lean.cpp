// MLAAN with cheap leap nets.
#include <mlaan/local/methods/mlaan.h>
#include <mlaan/local/methods/mlaan_lean.h>

namespace mlaan {

void LeanOptions::describe(FieldList& fields) {
  fields.add("stride", stride, "mlm.stride of mlaan-lean; 0: mlm.window, windows side by side",
             count_from(0));
  fields.add("independent_at_ends", independent_at_ends, "mlm.independent_at_ends of mlaan-lean");
  fields.add("pool", pool, "lam.pool of mlaan-lean", count_from(1));
  fields.add("narrow", narrow, "lam.narrow of mlaan-lean", count_from(1));
  fields.add("length", length, "lam.length of mlaan-lean", count_from(1));
  fields.add("twins", twins, "lam.twins of mlaan-lean", twinned_layers());
}

namespace methods {
namespace {

MlmOptions lean(MlmOptions mlm, const LeanOptions& options) {
  mlm.stride = options.stride > 0 ? options.stride : mlm.window;
  mlm.independent_at_ends = options.independent_at_ends;
  return mlm;
}

LamOptions lean(LamOptions lam, const LeanOptions& options) {
  lam.pool = options.pool;
  lam.narrow = options.narrow;
  lam.length = options.length;
  lam.twins = options.twins;
  return lam;
}

}  // namespace

Plan mlaan_lean(const Backbone& backbone, const Partition& partition, const LeanOptions& options,
                const MlmOptions& mlm, LamOptions lam, const GreedyOptions& host,
                std::uint64_t seed) {
  return mlaan(backbone, partition, {lean(mlm, options), lean(std::move(lam), options), host},
               seed);
}

MethodEntry mlaan_lean_entry() {
  AdditionEntry lean_mlm = mlm_addition();
  lean_mlm.declare = [](OptionSet& options) {
    options.get<LeanOptions>();
    options.get<MlmOptions>();
  };
  lean_mlm.add = [](LocalMethod& method, const Backbone&, const OptionSet& options) {
    method.multilaminar = multilaminar(lean(options.get<MlmOptions>(), options.get<LeanOptions>()));
  };
  AdditionEntry lean_lam = lam_addition();
  lean_lam.declare = [](OptionSet& options) {
    options.get<LeanOptions>();
    options.get<LamOptions>();
  };
  lean_lam.add = [](LocalMethod& method, const Backbone& backbone, const OptionSet& options) {
    method.leap_augmented = leap_augmented(
        backbone, method.partition, lean(options.get<LamOptions>(), options.get<LeanOptions>()));
  };
  return composed_entry("mlaan-lean",
                        "MLAAN with windows side by side, independent supervisions inside them, "
                        "and pooled, narrow, short leap nets without twins",
                        greedy_entry(), {std::move(lean_mlm), std::move(lean_lam)});
}

}  // namespace methods
}  // namespace mlaan
