// A partition: which units of a backbone form which gradient-isolated module.
#include <mlaan/local/partition.h>

#include <algorithm>

namespace mlaan {
namespace {

void check_count(std::size_t modules, std::size_t units, const std::string& network) {
  if (modules > 0 && modules <= units) return;
  throw UserError(network + " has " + std::to_string(units) +
                  " units, so it can be cut into 1 to " + std::to_string(units) + " modules, not " +
                  std::to_string(modules));
}

}  // namespace

Partition::Partition(std::vector<std::size_t> last_units) : last_units_(std::move(last_units)) {
  if (last_units_.empty()) throw UserError("a partition needs at least one module");
  for (std::size_t j = 1; j < last_units_.size(); ++j) {
    if (last_units_[j] <= last_units_[j - 1]) {
      throw UserError("module " + std::to_string(j + 1) +
                      " of the partition has no unit: it must end after module " +
                      std::to_string(j));
    }
  }
}

Partition Partition::uniform(const Backbone& backbone, std::size_t modules) {
  const std::size_t units = backbone.size();
  check_count(modules, units, backbone.name());
  std::vector<std::size_t> last_units;
  std::size_t next = 0;
  for (std::size_t j = 0; j < modules; ++j) {
    next += units / modules + (j < units % modules ? 1 : 0);
    last_units.push_back(next - 1);
  }
  return Partition(std::move(last_units));
}

Partition Partition::balanced(const std::vector<std::int64_t>& weights, std::size_t modules) {
  check_count(modules, weights.size(), "the network");
  // lowest[k][i]: the heaviest module's weight if units 0 … i are best cut into k + 1 modules.
  const std::size_t units = weights.size();
  std::vector<std::int64_t> sums{0};
  for (const auto weight : weights) sums.push_back(sums.back() + weight);
  std::vector<std::vector<std::int64_t>> lowest(modules, std::vector<std::int64_t>(units, 0));
  std::vector<std::vector<std::size_t>> cut(modules, std::vector<std::size_t>(units, 0));
  for (std::size_t i = 0; i < units; ++i) lowest[0][i] = sums[i + 1];
  for (std::size_t k = 1; k < modules; ++k) {
    for (std::size_t i = k; i < units; ++i) {
      lowest[k][i] = -1;
      for (std::size_t last = k - 1; last < i; ++last) {
        const auto heaviest = std::max(lowest[k - 1][last], sums[i + 1] - sums[last + 1]);
        if (lowest[k][i] >= 0 && heaviest >= lowest[k][i]) continue;
        lowest[k][i] = heaviest;
        cut[k][i] = last;
      }
    }
  }
  std::vector<std::size_t> last_units(modules);
  std::size_t unit = units - 1;
  for (std::size_t k = modules; k-- > 0;) {
    last_units[k] = unit;
    unit = cut[k][unit];
  }
  return Partition(std::move(last_units));
}

Partition Partition::after(const Backbone& backbone, const std::vector<std::string>& units) {
  std::vector<std::size_t> last_units;
  for (const auto& name : units) last_units.push_back(backbone.unit_index(name));
  if (last_units.empty() || last_units.back() + 1 != backbone.size()) {
    last_units.push_back(backbone.size() - 1);
  }
  return Partition(std::move(last_units));
}

std::size_t Partition::first_unit(std::size_t module) const {
  return module == 0 ? 0 : last_units_.at(module - 1) + 1;
}

bool operator==(const Partition& left, const Partition& right) {
  return left.last_units() == right.last_units();
}

}  // namespace mlaan
