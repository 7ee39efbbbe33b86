// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): residual branches left out at random.
#pragma once

#include <mlaan/nn/backbone.h>

#include <torch/types.h>

namespace mlaan {

/// Base class of residual blocks that leave out their branch for a random share of the samples in
/// training, drawn anew in each forward pass. Derive from it in addition to a `torch::nn` module.
/// Copies have the original's share.
class DropsPath {
 public:
  virtual ~DropsPath() = default;
  /// \param share probability of leaving out the branch, from 0 to below 1.
  void set_drop_path(double share) { share_ = share; }
  double drop_path_share() const { return share_; }

 protected:
  explicit DropsPath(double share = 0) : share_(share) {}
  DropsPath(const DropsPath&) = default;
  DropsPath& operator=(const DropsPath&) = default;

  /// The branch, (batch, …), with that share of the samples set to 0 and the others divided by 1 −
  /// share, which preserves the mean. Draws from the device's default generator, which the engine
  /// seeds for each module and net, and restores for a recomputation.
  torch::Tensor drop_path(const torch::Tensor& branch) const;

 private:
  double share_;
};

/// Sets the shares of the backbone's blocks, growing linearly from 0 at the first to `share` at the
/// last. Call it before auxiliary nets copy the blocks, since copies have the original's share.
/// \throws UserError if no block of the backbone is a DropsPath, unless `share` is 0.
void set_drop_path(const Backbone& backbone, double share);

}  // namespace mlaan
