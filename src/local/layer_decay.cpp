// Layer-wise learning-rate decay: rates are lower towards the input.
#include "local/layer_decay.h"

#include <cmath>
#include <map>
#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

double factor_of_unit(const Backbone& backbone, std::size_t unit, double decay) {
  return std::pow(decay, static_cast<double>(backbone.size() - unit));
}

}  // namespace

std::function<double(const torch::Tensor& parameter)> depth_factors(const Backbone& backbone,
                                                                    const Plan& plan,
                                                                    std::size_t module,
                                                                    double decay) {
  std::unordered_map<const void*, double> factors;
  for (auto i = plan.partition.first_unit(module); i <= plan.partition.last_unit(module); ++i) {
    for (const auto& named : backbone.units()[i].named_parameters()) {
      factors.emplace(named.tensor.unsafeGetTensorImpl(), factor_of_unit(backbone, i, decay));
    }
  }
  return [factors = std::move(factors)](const torch::Tensor& parameter) {
    return factors.at(parameter.unsafeGetTensorImpl());
  };
}

double depth_factor_of_net(const Backbone& backbone, const Plan& plan, const AuxiliaryNet& net,
                           double decay) {
  if (&net == backbone.head().get()) return 1;
  for (const auto& supervision : plan.supervisions) {
    const bool reads = supervision.net.get() == &net || supervision.net->trunk().get() == &net;
    if (!reads) continue;
    return factor_of_unit(backbone, plan.partition.last_unit(supervision.last), decay);
  }
  return 1;
}

std::vector<double> scale_learning_rates(
    torch::optim::Optimizer& optimizer,
    const std::function<double(const torch::Tensor& parameter)>& factor_of) {
  std::vector<double> factors;
  std::vector<torch::optim::OptimizerParamGroup> groups;
  for (const auto& group : optimizer.param_groups()) {
    std::map<double, std::vector<torch::Tensor>> parts;
    for (const auto& parameter : group.params()) parts[factor_of(parameter)].push_back(parameter);
    for (auto& [factor, parameters] : parts) {
      groups.emplace_back(std::move(parameters), group.options().clone());
      groups.back().options().set_lr(factor * group.options().get_lr());
      factors.push_back(factor);
    }
  }
  optimizer.param_groups().swap(groups);
  return factors;
}

}  // namespace mlaan
