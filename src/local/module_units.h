// The units of one module, and how they are run.
#pragma once

#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <vector>

namespace mlaan {

/// How one unit of a module is run.
struct UnitSettings {
  bool overwrites_input = false;  ///< the unit changes its input in place
  bool recomputed = false;        ///< the graph keeps only the unit's input
};

/// The units of one module, with their settings and the lists of their tensors.
class ModuleUnits {
 public:
  /// \param settings one for each unit.
  ModuleUnits(std::vector<Unit> units, std::vector<UnitSettings> settings, torch::Device device);

  const std::vector<Unit>& units() const { return units_; }
  const UnitSettings& settings(std::size_t unit) const { return settings_[unit]; }
  torch::Device device() const { return device_; }

  /// The parameters that require a gradient.
  const std::vector<torch::Tensor>& parameters() const { return parameters_; }
  const std::vector<NamedTensor>& named_parameters() const { return named_parameters_; }
  const std::vector<torch::Tensor>& buffers() const { return buffers_; }

 private:
  std::vector<Unit> units_;
  std::vector<UnitSettings> settings_;
  torch::Device device_;
  std::vector<NamedTensor> named_parameters_;
  std::vector<torch::Tensor> parameters_;
  std::vector<torch::Tensor> buffers_;
};

}  // namespace mlaan
