// What a training step changes: parameters, optimizers, and the loss scale.
#pragma once

#include "local/loss_scale.h"
#include "local/placed_network.h"

#include <mlaan/local/engine.h>

#include <cstddef>
#include <functional>
#include <optional>
#include <vector>

namespace mlaan {

/// The modules and nets of a plan with their optimizers, and the path of a gradient from the
/// backward pass to its optimizer: exchanged with other processes, divided by the loss scale,
/// clipped.
class TrainedParts {
 public:
  /// \throws UserError if a parameter belongs to two modules or nets.
  TrainedParts(const Backbone& backbone, const Plan& plan, const PlacedNetwork& network,
               const EngineOptions& options);

  /// Modules, then nets.
  const std::vector<TrainedPart>& parts() const { return parts_; }

  /// To be called when the gradient of a part is complete; every gradient passes here on its way to
  /// the optimizer. The part is updated at once, or when its exchange with other processes is done,
  /// or, if gradients are clipped together, in finish_update().
  void take_gradient(std::size_t part);
  /// Updates the parts whose exchange with other processes is done.
  void update_exchanged();
  /// Updates all parts that still wait, and adapts the loss scale.
  void finish_update();
  /// Aborts a step: drops all gradients.
  void abandon();

  /// Sets all learning rates to `lr` times the factors of nets and depths.
  void set_learning_rate(const Plan& plan, double lr);

  /// Factor on the losses before the backward pass; 1 if there is no loss scale.
  double loss_scale() const { return scale_ ? scale_->value() : 1; }
  std::optional<LossScale>& scale() { return scale_; }

 private:
  void add_part(const std::string& name, std::vector<NamedTensor> parameters,
                const std::function<double(const torch::Tensor&)>& depth_factor);
  void update(std::vector<std::size_t> parts);

  const EngineOptions* options_;
  std::size_t module_count_;
  std::vector<TrainedPart> parts_;
  std::vector<std::vector<double>> depth_factors_;  ///< of each part's parameter groups
  std::optional<LossScale> scale_;
  bool updates_together_;             ///< gradients are clipped as one vector
  std::vector<std::size_t> waiting_;  ///< parts whose gradients are complete
};

}  // namespace mlaan
