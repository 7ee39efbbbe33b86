// Multilaminar local modules (MLM), the first half of MLAAN (AAAI 2025).
#include <mlaan/local/methods/mlm.h>

namespace mlaan {

void MlmOptions::describe(FieldList& fields) {
  fields.add("window", window, "modules that a cascaded supervision spans (k)", count_from(1))
      .has_flag = true;
  fields.add("stride", stride,
             "modules from the end of one window to the end of the next, at most the window",
             count_from(1));
  fields.add("independent_weight", independent_weight,
             "weight of each module's independent supervision", at_least(0));
  fields.add("cascaded_weight", cascaded_weight, "weight of each window's cascaded supervision",
             at_least(0));
  fields.add("independent_at_ends", independent_at_ends,
             "supervise modules independently even where a window of several modules ends");
  fields.add("published_code", published_code,
             "as in the published code: no independent supervision of the first module, and only a "
             "cascaded one, of weight 1, at the last window");
}

namespace methods {

Multilaminar multilaminar(const MlmOptions& options) {
  return {static_cast<std::size_t>(options.window),
          static_cast<std::size_t>(options.stride),
          options.independent_weight,
          options.cascaded_weight,
          options.independent_at_ends,
          options.published_code};
}

Plan mlm(const Backbone& backbone, const Partition& partition, const MlmOptions& options,
         const GreedyOptions& host, std::uint64_t seed) {
  return make_plan({partition, greedy_host(host), multilaminar(options), {}}, backbone, seed);
}

AdditionEntry mlm_addition() {
  return {"mlm", "windows of neighbouring modules",
          [](OptionSet& options) { options.get<MlmOptions>(); },
          [](LocalMethod& method, const Backbone&, const OptionSet& options) {
            method.multilaminar = multilaminar(options.get<MlmOptions>());
          }};
}

MethodEntry mlm_entry() {
  return composed_entry("mlm",
                        "multilaminar local modules: windows of neighbouring modules, linear heads",
                        greedy_entry(), {mlm_addition()});
}

}  // namespace methods
}  // namespace mlaan
