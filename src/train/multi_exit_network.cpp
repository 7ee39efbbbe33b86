// Networks with early exits: classifiers after modules, which answer before the last module.
#include <mlaan/core/error.h>
#include <mlaan/train/multi_exit_network.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <unordered_map>
#include <utility>

namespace mlaan {
namespace {

/// The nets of an exit in order of execution: the trunk, if there is one, comes first.
std::vector<const AuxiliaryNet*> nets_of(const EarlyExit& exit) {
  std::vector<const AuxiliaryNet*> found;
  if (exit.net->trunk()) found.push_back(exit.net->trunk().get());
  found.push_back(exit.net.get());
  return found;
}

/// The nets of all exits, without duplicates.
std::vector<const AuxiliaryNet*> nets_of(const std::vector<EarlyExit>& exits) {
  std::vector<const AuxiliaryNet*> all;
  for (const auto& exit : exits) {
    for (const auto* net : nets_of(exit)) {
      if (std::find(all.begin(), all.end(), net) == all.end()) all.push_back(net);
    }
  }
  return all;
}

torch::Tensor logits_of(const EarlyExit& exit, const torch::Tensor& features) {
  torch::Tensor value = features.clone();  // a net may begin with an in-place operation
  for (const auto* net : nets_of(exit)) value = net->forward(std::move(value));
  return value;
}

bool is_cross_entropy(const Loss& loss) {
  return loss.name.rfind("cross_entropy", 0) == 0;
}

}  // namespace

std::vector<torch::Tensor> MultiExitNetwork::forward(const torch::Tensor& images) const {
  std::vector<torch::Tensor> outputs;
  torch::Tensor value = backbone.overwrites_input(0) ? images.clone() : images;
  auto exit = exits.begin();
  for (std::size_t module = 0; module < partition.size(); ++module) {
    for (auto unit = partition.first_unit(module); unit <= partition.last_unit(module); ++unit) {
      value = backbone.units()[unit].forward(std::move(value));
    }
    for (; exit != exits.end() && exit->module == module; ++exit) {
      outputs.push_back(logits_of(*exit, value));
    }
  }
  outputs.push_back(backbone.head()->forward(std::move(value)));
  return outputs;
}

std::vector<NamedTensor> MultiExitNetwork::named_parameters() const {
  auto all = backbone.named_parameters();
  for (const auto* net : nets_of(exits)) {
    for (auto& named : net->named_parameters()) all.push_back(std::move(named));
  }
  return all;
}

std::vector<NamedTensor> MultiExitNetwork::named_buffers() const {
  auto all = backbone.named_buffers();
  for (const auto* net : nets_of(exits)) {
    for (auto& named : net->named_buffers()) all.push_back(std::move(named));
  }
  return all;
}

void MultiExitNetwork::train(bool on) const {
  backbone.train(on);
  for (const auto* net : nets_of(exits)) net->train(on);
}

void MultiExitNetwork::to(torch::Device device) const {
  backbone.to(device);
  for (const auto* net : nets_of(exits)) net->to(device);
}

std::vector<std::string> MultiExitNetwork::output_names() const {
  std::vector<std::string> names;
  for (const auto& exit : exits) names.push_back("exit_" + std::to_string(exit.module + 1));
  names.emplace_back("logits");
  return names;
}

void load_tensors(const std::vector<NamedTensor>& tensors, const std::filesystem::path& path,
                  const MultiExitNetwork& network) {
  std::unordered_map<std::string, torch::Tensor> sources;
  for (const auto& named : tensors) sources.emplace(named.name, named.tensor);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;
  const auto take = [&](const NamedTensor& target) {
    const auto found = sources.find(target.name);
    if (found == sources.end() && !target.tensor.is_floating_point()) return;
    if (found == sources.end() || found->second.sizes() != target.tensor.sizes()) {
      throw UserError(path.string() + ": '" + target.name + "' of the network " +
                      network.backbone.name() +
                      (found == sources.end() ? " is missing" : " has another shape"));
    }
    copies.emplace_back(target.tensor, found->second);
  };
  for (const auto& named : network.named_parameters()) take(named);
  for (const auto& named : network.named_buffers()) take(named);
  const torch::NoGradGuard no_grad;
  for (const auto& [target, source] : copies) target.copy_(source);
}

std::vector<EarlyExit> early_exits(const Plan& plan, const Backbone& backbone) {
  std::vector<EarlyExit> exits;
  std::set<const AuxiliaryNet*> seen;
  for (const auto& supervision : plan.supervisions) {
    const bool classifies = supervision.weight > 0 && supervision.net != backbone.head() &&
                            is_cross_entropy(*supervision.loss);
    if (!classifies || !seen.insert(supervision.net.get()).second) continue;
    exits.push_back({supervision.last, supervision.net});
  }
  std::stable_sort(exits.begin(), exits.end(), [](const EarlyExit& left, const EarlyExit& right) {
    return left.module < right.module;
  });
  return exits;
}

Plan plan_of_exits(const MultiExitNetwork& network, const Plan& plan) {
  Plan exits{plan.partition, {}, {}, {}, {}};
  for (const auto& supervision : plan.supervisions) {
    const auto is_of = [&](const EarlyExit& exit) { return exit.net == supervision.net; };
    if (!std::any_of(network.exits.begin(), network.exits.end(), is_of)) continue;
    if (supervision.weight <= 0 || !is_cross_entropy(*supervision.loss)) continue;
    exits.supervisions.push_back(supervision);
  }
  // A plan must train every module, so the head is added as the last supervision.
  Supervision output;
  output.name = "output";
  output.last = plan.partition.size() - 1;
  output.net = network.backbone.head();
  output.loss = cross_entropy();
  exits.supervisions.push_back(std::move(output));
  return exits;
}

std::vector<std::size_t> best_exits(const std::vector<EarlyExit>& exits,
                                    const std::vector<double>& errors) {
  std::vector<std::size_t> best;
  for (std::size_t i = 0; i < exits.size(); ++i) {
    if (best.empty() || exits[best.back()].module != exits[i].module) {
      best.push_back(i);
    } else if (errors[i] < errors[best.back()] ||
               (std::isnan(errors[best.back()]) && !std::isnan(errors[i]))) {
      best.back() = i;
    }
  }
  return best;
}

}  // namespace mlaan
