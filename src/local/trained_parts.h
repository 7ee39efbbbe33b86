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

/// The modules and nets of a plan with their optimizers, and the way of a gradient from the
/// backward pass to its optimizer: exchanged with other processes, divided by the loss scale,
/// clipped.
class TrainedParts {
 public:
  /// \throws UserError if a parameter belongs to two modules or nets.
  TrainedParts(const Backbone& backbone, const Plan& plan, const PlacedNetwork& network,
               const EngineOptions& options);

  /// Modules, then nets.
  const std::vector<TrainedPart>& parts() const { return parts_; }

  /// The gradient of a part is complete. All gradients pass here on their way to the optimizers,
  /// and nowhere else. The part is updated at once, or when its exchange with other processes is
  /// done, or, where gradients are clipped together, at the end.
  void take_gradient(std::size_t part);
  /// Updates the parts whose exchange with other processes is done.
  void update_exchanged();
  /// Updates all parts that still wait, and moves the loss scale.
  void finish_update();
  /// Gives a step up: drops all gradients.
  void abandon();

  /// The learning rate of everything, times the factors of nets and depths.
  void set_learning_rate(const Plan& plan, double lr);

  /// Factor on the losses ahead of the backward pass; 1 where there is no loss scale.
  double loss_scale() const { return scale_ ? scale_->value() : 1; }
  std::optional<LossScale>& scale() { return scale_; }

 private:
  void add_part(const std::string& name, std::vector<NamedTensor> parameters,
                const std::function<double(const torch::Tensor&)>& depth_factor);
  void update(std::vector<std::size_t> parts);

  const EngineOptions* options_;
  std::size_t module_count_;
  std::vector<TrainedPart> parts_;
  std::vector<std::vector<double>> depth_factors_;  ///< of each part's groups of parameters
  std::optional<LossScale> scale_;
  bool updates_together_;             ///< gradients are clipped as one vector
  std::vector<std::size_t> waiting_;  ///< parts whose gradients are complete
};

}  // namespace mlaan
