// Partitions selected by name.
#include <mlaan/local/cost_report.h>
#include <mlaan/local/partition_kind.h>
#include <mlaan/local/published.h>

namespace mlaan {

std::optional<Partition> partition_of_kind(const std::string& kind, const Backbone& backbone,
                                           std::size_t modules) {
  const std::size_t count = modules == 0 ? backbone.block_count() : modules;
  if (kind == "default" || kind == "published") return default_partition(backbone, count);
  if (kind == "uniform") return Partition::uniform(backbone, count);
  if (kind == "bytes") return Partition::balanced(unit_activation_bytes(backbone), count);
  if (kind == "multiply-adds") return Partition::balanced(unit_multiply_adds(backbone), count);
  return std::nullopt;
}

}  // namespace mlaan
