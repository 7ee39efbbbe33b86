// Greedy layer-wise training (Belilovsky et al. 2019, arXiv:1812.11446), all modules at once.
#include "local/methods/head_fields.h"

#include <mlaan/local/methods/greedy.h>

namespace mlaan {

void GreedyOptions::describe(FieldList& fields) {
  describe_head(fields, head, feature_dim, widen, token);
}

namespace methods {

Host greedy_host(const GreedyOptions& options) {
  return classifier_host({options.head, options.feature_dim, options.widen, options.token});
}

Plan greedy(const Backbone& backbone, const Partition& partition, const GreedyOptions& options,
            std::uint64_t seed) {
  return make_plan({partition, greedy_host(options), {}, {}}, backbone, seed);
}

MethodEntry greedy_entry() {
  return host_entry(
      "greedy", "each module on its own, with a head of pooling and a linear layer",
      [](OptionSet& options) { options.get<GreedyOptions>(); },
      [](const Backbone&, const Partition& partition, const OptionSet& options) {
        return LocalMethod{partition, greedy_host(options.get<GreedyOptions>()), {}, {}};
      });
}

}  // namespace methods
}  // namespace mlaan
