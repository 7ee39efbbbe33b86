// The units of one module, and how they are run.
#include "local/module_units.h"

#include <utility>

namespace mlaan {

ModuleUnits::ModuleUnits(std::vector<Unit> units, std::vector<UnitSettings> settings,
                         torch::Device device)
    : units_(std::move(units)), settings_(std::move(settings)), device_(device) {
  for (const auto& unit : units_) {
    for (auto& named : unit.named_parameters()) {
      if (!named.tensor.requires_grad()) continue;
      parameters_.push_back(named.tensor);
      named_parameters_.push_back(std::move(named));
    }
    for (auto& named : unit.named_buffers()) buffers_.push_back(std::move(named.tensor));
  }
}

}  // namespace mlaan
