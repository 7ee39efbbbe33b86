// Layer-wise learning-rate decay: rates are lower towards the input.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/backbone.h>

#include <torch/optim/optimizer.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace mlaan {

/// The learning-rate factor of a parameter of module `module`: decay^(N − i) for unit i of N.
/// \param decay above 0.
std::function<double(const torch::Tensor& parameter)> depth_factors(const Backbone& backbone,
                                                                    const Plan& plan,
                                                                    std::size_t module,
                                                                    double decay);

/// The factor of a net: that of the last unit before the net; 1 for the backbone's own head.
double depth_factor_of_net(const Backbone& backbone, const Plan& plan, const AuxiliaryNet& net,
                           double decay);

/// Splits the optimizer's parameter groups so that all parameters of a group have one factor, and
/// multiplies the group's learning rate by it. \return the factor of each group.
std::vector<double> scale_learning_rates(
    torch::optim::Optimizer& optimizer,
    const std::function<double(const torch::Tensor& parameter)>& factor_of);

}  // namespace mlaan
