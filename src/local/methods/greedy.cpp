// Greedy layer-wise training (Belilovsky et al. 2019, arXiv:1812.11446), all modules at once.
#include "local/methods/head_fields.h"

#include <mlaan/local/methods/greedy.h>

namespace mlaan {

void GreedyOptions::describe(FieldList& fields) {
  describe_head(fields, head, feature_dim, widen);
}

namespace methods {

Host greedy_host(const GreedyOptions& options) {
  return classifier_host({options.head, options.feature_dim, options.widen});
}

Plan greedy(const Backbone& backbone, const Partition& partition, const GreedyOptions& options,
            std::uint64_t seed) {
  return make_local_plan(backbone, partition, greedy_host(options), {}, {}, seed);
}

MethodEntry greedy_entry() {
  return {"greedy", "each module by itself, through pooling and a linear layer",
          [](OptionSet& options) { options.get<GreedyOptions>(); },
          [](const Backbone& backbone, const Partition& partition, OptionSet& options,
             std::uint64_t seed) {
            return greedy(backbone, partition, options.get<GreedyOptions>(), seed);
          }};
}

}  // namespace methods
}  // namespace mlaan
