// Stochastic depth (Huang et al. 2016, arXiv:1603.09382): residual branches left out at random.
#pragma once

#include <mlaan/nn/backbone.h>

#include <torch/types.h>

namespace mlaan {

/// A residual block whose branch training leaves out for a share of the samples, drawn anew in each
/// pass. Derive a `torch::nn` module from it as well. Copies have the share of the original.
class DropsPath {
 public:
  virtual ~DropsPath() = default;
  /// \param share from 0 to below 1.
  void set_drop_path(double share) { share_ = share; }
  double drop_path_share() const { return share_; }

 protected:
  explicit DropsPath(double share = 0) : share_(share) {}
  DropsPath(const DropsPath&) = default;
  DropsPath& operator=(const DropsPath&) = default;

  /// The branch, (batch, …), with that share of the samples set to 0 and the others divided by the
  /// rest, so that the mean stays. The draws are of the device's default generator, which the
  /// engine seeds for each module and net, and puts back where a pass is repeated.
  torch::Tensor drop_path(const torch::Tensor& branch) const;

 private:
  double share_;
};

/// Gives the backbone's blocks shares that grow evenly from 0 at the first to `share` at the last.
/// Call it before nets are made of the blocks: they get the shares of what they copy.
/// \throws UserError where the backbone has no blocks that are a DropsPath, unless `share` is 0.
void set_drop_path(const Backbone& backbone, double share);

}  // namespace mlaan
