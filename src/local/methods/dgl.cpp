// Decoupled greedy learning (Belilovsky et al. 2020, arXiv:1901.08164).
#include "local/methods/head_fields.h"

#include <mlaan/local/methods/dgl.h>

namespace mlaan {

void DglOptions::describe(FieldList& fields) {
  describe_head(fields, head, feature_dim, widen, token);
}

namespace methods {

Host dgl_host(const DglOptions& options) {
  return classifier_host({options.head, options.feature_dim, options.widen, options.token});
}

Plan dgl(const Backbone& backbone, const Partition& partition, const DglOptions& options,
         std::uint64_t seed) {
  return make_plan({partition, dgl_host(options), {}, {}}, backbone, seed);
}

MethodEntry dgl_entry() {
  return host_entry(
      "dgl", "decoupled greedy learning: each module on its own, with a convolutional head",
      [](OptionSet& options) { options.get<DglOptions>(); },
      [](const Backbone&, const Partition& partition, const OptionSet& options) {
        return LocalMethod{partition, dgl_host(options.get<DglOptions>()), {}, {}};
      });
}

}  // namespace methods
}  // namespace mlaan
