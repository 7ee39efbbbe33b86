// Which nets hold the twins of a plan, and which modules the twins follow.
#include "local/twin_tensors.h"

#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

const void* identity_of(const torch::Tensor& tensor) {
  return tensor.unsafeGetTensorImpl();
}

}  // namespace

std::vector<TwinTensor> twin_tensors(const Backbone& backbone, const Plan& plan) {
  std::unordered_map<const void*, std::pair<std::size_t, std::string>> sources;
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    for (const auto& unit : module_units(plan, backbone, j)) {
      for (const auto& named : unit.named_parameters()) {
        sources.emplace(identity_of(named.tensor), std::pair{j, named.name});
      }
    }
  }
  std::unordered_map<const void*, std::size_t> net_of;
  const auto all_nets = nets(plan);
  for (std::size_t n = 0; n < all_nets.size(); ++n) {
    for (const auto& named : all_nets[n]->named_parameters()) {
      net_of.emplace(identity_of(named.tensor), n);
    }
  }
  std::vector<TwinTensor> twins;
  for (std::size_t k = 0; k < plan.averages.size(); ++k) {
    const ParameterAverage& link = plan.averages[k];
    for (std::size_t i = 0; i < link.average.size(); ++i) {
      const auto source = sources.find(identity_of(link.source[i]));
      const auto net = net_of.find(identity_of(link.average[i]));
      if (source == sources.end() || net == net_of.end()) continue;
      twins.push_back({k, i, net->second, source->second.first, source->second.second});
    }
  }
  return twins;
}

FollowedModules followed_modules(const std::vector<TwinTensor>& twins, const Stages& stages,
                                 const std::vector<std::size_t>& net_stages) {
  FollowedModules followed;
  for (const auto& twin : twins) {
    auto& on_stages = followed[twin.module];
    on_stages.resize(stages.count(), false);
    on_stages[net_stages[twin.net]] = true;
  }
  return followed;
}

}  // namespace mlaan
