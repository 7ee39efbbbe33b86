// Learning rates that are lower towards the input.
#pragma once

#include <mlaan/local/plan.h>
#include <mlaan/nn/backbone.h>

#include <torch/optim/optimizer.h>

#include <cstddef>
#include <functional>
#include <vector>

namespace mlaan {

/// The factor on the learning rate of a parameter of module `module`: decay^(N − i) where it is of
/// unit i of N. \param decay above 0.
std::function<double(const torch::Tensor& parameter)> depth_factors(const Backbone& backbone,
                                                                    const Plan& plan,
                                                                    std::size_t module,
                                                                    double decay);

/// That of a net: its last unit's that it reads; of the backbone's own head 1.
double depth_factor_of_net(const Backbone& backbone, const Plan& plan, const AuxiliaryNet& net,
                           double decay);

/// Cuts the optimizer's groups so that the parameters of one have one factor, and multiplies their
/// learning rates by it. \return the factor of each group.
std::vector<double> scale_learning_rates(
    torch::optim::Optimizer& optimizer,
    const std::function<double(const torch::Tensor& parameter)>& factor_of);

}  // namespace mlaan
