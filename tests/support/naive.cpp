// The slow and obvious way to a plan's gradients: every supervision's window run by itself.
#include "support/naive.h"

#include "local/buffer_guard.h"
#include "local/random_streams.h"

#include <torch/torch.h>

#include <map>
#include <set>

namespace mlaan::testing {

NaiveResult naive_gradients(const Backbone& backbone, const Plan& plan, const torch::Tensor& images,
                            const torch::Tensor& labels, std::uint64_t seed, std::int64_t step,
                            std::optional<torch::Dtype> boundaries) {
  const auto parameters = named_parameters(backbone, plan);
  const auto buffers = named_buffers(backbone, plan);
  const auto buffer_tensors = tensors_of(buffers);
  backbone.train(true);
  for (const auto& net : nets(plan)) net->train(true);
  const auto run_module = [&](std::size_t module, torch::Tensor value) {
    seed_default_generator(torch::kCPU, module_stream(seed, module, step));
    for (const auto& unit : module_units(plan, backbone, module)) value = unit.forward(value);
    if (!boundaries || module + 1 == plan.partition.size()) return value;
    const auto exact = value.detach();
    return exact.to(*boundaries).to(exact.scalar_type()) + (value - exact);
  };

  NaiveResult result;
  std::vector<NamedTensor> trained;
  for (const auto& named : parameters) {
    result.gradients[named.name] = torch::zeros_like(named.tensor);
    if (named.tensor.requires_grad()) trained.push_back(named);
  }
  for (const auto& supervision : plan.supervisions) {
    if (supervision.weight == 0) continue;
    const BufferGuard guard(buffer_tensors);
    torch::Tensor value = images;
    {
      const torch::NoGradGuard no_grad;
      for (std::size_t j = 0; j < supervision.first; ++j) value = run_module(j, value);
    }
    value = value.detach();
    for (std::size_t j = supervision.first; j <= supervision.last; ++j)
      value = run_module(j, value);
    const auto run_net = [&](const AuxiliaryNet& net) {
      seed_default_generator(torch::kCPU, net_stream(seed, net.name(), supervision.last, step));
      value = net.forward(value);
    };
    if (supervision.net->trunk()) run_net(*supervision.net->trunk());
    run_net(*supervision.net);
    const auto loss = supervision.loss->function(value, Targets{labels, images});
    result.losses.push_back(loss.item<double>());
    const auto gradients = torch::autograd::grad(
        {loss * supervision.weight}, tensors_of(trained), {},
        /*retain_graph=*/false, /*create_graph=*/false, /*allow_unused=*/true);
    for (std::size_t i = 0; i < trained.size(); ++i) {
      if (gradients[i].defined()) result.gradients[trained[i].name] += gradients[i];
    }
  }

  const BufferGuard guard(buffer_tensors);
  const torch::NoGradGuard no_grad;
  torch::Tensor value = images;
  for (std::size_t j = 0; j < plan.partition.size(); ++j) {
    value = run_module(j, value);
    std::set<std::pair<const AuxiliaryNet*, const Loss*>> done;
    std::map<const AuxiliaryNet*, torch::Tensor> trunk_outputs;
    for (const auto& supervision : plan.supervisions) {
      if (supervision.last != j || supervision.weight == 0) continue;
      const bool first_use = done.emplace(supervision.net.get(), supervision.loss.get()).second;
      const auto* trunk = supervision.net->trunk().get();
      if (trunk != nullptr && trunk_outputs.count(trunk) == 0) {
        seed_default_generator(torch::kCPU, net_stream(seed, trunk->name(), j, step));
        trunk_outputs[trunk] = trunk->forward(value);
      }
      if (first_use) supervision.net->forward(trunk == nullptr ? value : trunk_outputs[trunk]);
    }
  }
  for (const auto& named : buffers) result.buffers[named.name] = named.tensor.clone();
  return result;
}

}  // namespace mlaan::testing
