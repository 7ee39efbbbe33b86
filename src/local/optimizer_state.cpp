// What LibTorch's optimizers remember of each parameter, as named tensors.
#include "core/libtorch_compat.h"

#include <mlaan/local/optimizer_state.h>
#include <mlaan/measure/memory.h>

#include <torch/optim/sgd.h>

#include <unordered_map>

namespace mlaan {
namespace {

std::string buffer_name(const NamedTensor& parameter) {
  return "optimizer." + parameter.name + ".momentum_buffer";
}

auto key_of(const NamedTensor& parameter) {
  return compat::optimizer_state_key(parameter.tensor.unsafeGetTensorImpl());
}

}  // namespace

std::vector<NamedTensor> optimizer_state(const std::vector<TrainedPart>& parts) {
  std::vector<NamedTensor> tensors;
  for (const auto& part : parts) {
    for (const auto& parameter : part.parameters) {
      auto& states = part.optimizer->state();
      const auto found = states.find(key_of(parameter));
      if (found == states.end()) continue;
      const auto* state = dynamic_cast<torch::optim::SGDParamState*>(found->second.get());
      if (state == nullptr) {
        throw Error("the optimizer of " + part.name +
                    " is not SGD; only the state of SGD can be written to a checkpoint");
      }
      if (state->momentum_buffer().defined()) {
        tensors.push_back({buffer_name(parameter), state->momentum_buffer()});
      }
    }
  }
  return tensors;
}

void set_optimizer_state(const std::vector<TrainedPart>& parts,
                         const std::vector<NamedTensor>& state) {
  const torch::NoGradGuard no_grad;
  std::unordered_map<std::string, torch::Tensor> tensors;
  for (const auto& named : state) tensors.emplace(named.name, named.tensor);
  for (const auto& part : parts) {
    for (const auto& parameter : part.parameters) {
      const auto found = tensors.find(buffer_name(parameter));
      if (found != tensors.end() && found->second.sizes() != parameter.tensor.sizes()) {
        throw UserError("'" + found->first + "' has another shape than its parameter");
      }
    }
  }
  const measure::MemoryKindScope kind(measure::MemoryKind::optimizer_state);
  for (const auto& part : parts) {
    for (const auto& parameter : part.parameters) {
      auto& states = part.optimizer->state();
      states.erase(key_of(parameter));
      const auto found = tensors.find(buffer_name(parameter));
      if (found == tensors.end()) continue;
      auto entry = std::make_unique<torch::optim::SGDParamState>();
      entry->momentum_buffer(torch::empty_like(parameter.tensor).copy_(found->second));
      states[key_of(parameter)] = std::move(entry);
    }
  }
}

}  // namespace mlaan
