// A partition: which units of a backbone form which gradient-isolated module.
#include <mlaan/local/partition.h>

namespace mlaan {

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
  if (modules == 0 || modules > units) {
    throw UserError(backbone.name() + " has " + std::to_string(units) +
                    " units, so it can be cut into 1 to " + std::to_string(units) +
                    " modules, not " + std::to_string(modules));
  }
  std::vector<std::size_t> last_units;
  std::size_t next = 0;
  for (std::size_t j = 0; j < modules; ++j) {
    next += units / modules + (j < units % modules ? 1 : 0);
    last_units.push_back(next - 1);
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
