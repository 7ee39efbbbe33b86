// A backbone and a plan's nets as the engine runs them: on their device, cut into modules.
#pragma once

#include "local/module_units.h"

#include <mlaan/local/engine.h>
#include <mlaan/local/schedule.h>

#include <torch/types.h>

#include <cstddef>
#include <memory>
#include <vector>

namespace mlaan {

class PlacedNetwork {
 public:
  /// Moves all parameters and buffers to the options' device and memory format.
  /// \throws UserError if the device or the network's dtype does not support the precisions.
  PlacedNetwork(const Backbone& backbone, const Plan& plan, const EngineOptions& options);

  /// Applies the plan's recompute settings to units and nets.
  void set_recompute(const Backbone& backbone, const Plan& plan);

  const std::vector<ModuleUnits>& modules() const { return modules_; }
  /// In the order of nets(plan).
  const std::vector<std::shared_ptr<const AuxiliaryNet>>& nets() const { return nets_; }
  /// The trained parameters of each net.
  const std::vector<std::vector<torch::Tensor>>& net_parameters() const { return net_parameters_; }
  bool is_head(std::size_t net) const { return nets_[net] == head_; }
  bool recomputes_net(std::size_t net) const { return recomputed_nets_[net]; }

  /// The dtype of the parameters.
  torch::Dtype dtype() const { return dtype_; }
  torch::TensorOptions tensor_options() const;
  /// Moves images to the device, dtype and memory format of the first module's input.
  torch::Tensor place_images(const torch::Tensor& images) const;

  /// Which parts have trained parameters, and which modules the twins in each net follow.
  PartFacts part_facts(const Plan& plan) const;

 private:
  std::vector<std::shared_ptr<const AuxiliaryNet>> nets_;
  std::shared_ptr<const AuxiliaryNet> head_;
  std::vector<ModuleUnits> modules_;
  std::vector<std::vector<torch::Tensor>> net_parameters_;
  std::vector<bool> recomputed_nets_;
  torch::Device device_;
  torch::MemoryFormat memory_format_;
  torch::Dtype dtype_ = torch::kFloat32;
};

/// Puts backbone and nets into training or evaluation mode.
void set_training(const Backbone& backbone, const PlacedNetwork& network, bool on);

}  // namespace mlaan
