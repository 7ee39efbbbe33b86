// The units of one module, and how they are run.
#include "local/module_units.h"

#include <utility>

namespace mlaan {

ModuleUnits::ModuleUnits(std::vector<Unit> units, std::vector<UnitSettings> settings,
                         torch::Device device)
    : units_(std::move(units)), settings_(std::move(settings)), device_(device) {
  for (const auto& unit : units_) {
    const auto trained = trainable(unit.named_parameters());
    named_parameters_.insert(named_parameters_.end(), trained.begin(), trained.end());
    for (auto& named : unit.named_buffers()) buffers_.push_back(std::move(named.tensor));
  }
  parameters_ = tensors_of(named_parameters_);
}

}  // namespace mlaan
