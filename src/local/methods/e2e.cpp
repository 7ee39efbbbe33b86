// End-to-end backpropagation, with and without activation checkpointing.
#include <mlaan/local/methods/e2e.h>

namespace mlaan {

void CheckpointOptions::describe(FieldList& fields) {
  fields.add("segments", segments, "checkpointing segments of the network; 0: one for each module",
             count_from(0));
}

namespace methods {

Plan e2e(const Backbone& backbone, const Partition& partition) {
  const std::size_t last = partition.size() - 1;
  return {partition, {{"output", 0, last, backbone.head(), cross_entropy(), 1}}, {}, {}, {}};
}

Plan checkpoint(const Backbone& backbone, const Partition& partition,
                const CheckpointOptions& options) {
  const auto segments = static_cast<std::size_t>(options.segments);
  Plan plan = e2e(backbone, segments == 0 ? partition : Partition::uniform(backbone, segments));
  plan.recompute.assign(plan.partition.size(), Recompute::module);
  // The last segment's backward pass directly follows its forward pass, so it is not recomputed.
  plan.recompute.back() = Recompute::none;
  return plan;
}

MethodEntry e2e_entry() {
  return {"e2e", "end-to-end backpropagation", [](OptionSet&) {},
          [](const Backbone& backbone, const Partition& partition, const OptionSet&,
             std::uint64_t) { return e2e(backbone, partition); },
          /*end_to_end=*/true};
}

MethodEntry checkpoint_entry() {
  return {"checkpoint", "end-to-end backpropagation with activation checkpointing",
          [](OptionSet& options) { options.get<CheckpointOptions>(); },
          [](const Backbone& backbone, const Partition& partition, const OptionSet& options,
             std::uint64_t) {
            return checkpoint(backbone, partition, options.get<CheckpointOptions>());
          },
          /*end_to_end=*/true};
}

}  // namespace methods
}  // namespace mlaan
