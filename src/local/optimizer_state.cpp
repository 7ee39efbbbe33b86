// What LibTorch's optimizers remember of each parameter, as named tensors.
#include "core/libtorch_compat.h"

#include <mlaan/local/optimizer_state.h>
#include <mlaan/measure/memory.h>

#include <torch/optim/adam.h>
#include <torch/optim/adamw.h>
#include <torch/optim/sgd.h>

#include <functional>
#include <memory>
#include <unordered_map>

namespace mlaan {
namespace {

using State = torch::optim::OptimizerParamState;
/// Takes a part of a state by its name; an undefined tensor where it is not there.
using Take = std::function<torch::Tensor(const std::string& name)>;

/// How one kind of optimizer's states become named tensors and back.
struct Format {
  /// The state's parts; nothing for the state of another kind of optimizer.
  std::function<std::vector<NamedTensor>(State& state)> parts;
  /// Whether this is an optimizer of this kind.
  std::function<bool(const torch::optim::Optimizer& optimizer)> fits;
  /// The state of these parts; null where they are not there.
  std::function<std::unique_ptr<State>(const Take& take)> make;
  std::vector<std::string> tensors;  ///< names of the parts that have the parameter's shape
};

Format sgd_format() {
  using torch::optim::SGDParamState;
  return {[](State& state) -> std::vector<NamedTensor> {
            auto* known = dynamic_cast<SGDParamState*>(&state);
            if (known == nullptr || !known->momentum_buffer().defined()) return {};
            return {{"momentum_buffer", known->momentum_buffer()}};
          },
          [](const torch::optim::Optimizer& optimizer) {
            return dynamic_cast<const torch::optim::SGD*>(&optimizer) != nullptr;
          },
          [](const Take& take) -> std::unique_ptr<State> {
            const auto buffer = take("momentum_buffer");
            if (!buffer.defined()) return nullptr;
            auto state = std::make_unique<SGDParamState>();
            state->momentum_buffer(buffer);
            return state;
          },
          {"momentum_buffer"}};
}

/// Adam and AdamW, whose states are of different types with the same members.
template <class Optimizer, class ParamState>
Format moments_format() {
  return {[](State& state) -> std::vector<NamedTensor> {
            auto* known = dynamic_cast<ParamState*>(&state);
            if (known == nullptr) return {};
            return {{"exp_avg", known->exp_avg()},
                    {"exp_avg_sq", known->exp_avg_sq()},
                    {"step", torch::full({1}, known->step(), torch::kInt64)}};
          },
          [](const torch::optim::Optimizer& optimizer) {
            return dynamic_cast<const Optimizer*>(&optimizer) != nullptr;
          },
          [](const Take& take) -> std::unique_ptr<State> {
            const auto mean = take("exp_avg");
            const auto square = take("exp_avg_sq");
            const auto step = take("step");
            if (!mean.defined() || !square.defined() || !step.defined()) return nullptr;
            auto state = std::make_unique<ParamState>();
            state->exp_avg(mean);
            state->exp_avg_sq(square);
            state->step(step.template item<std::int64_t>());
            return state;
          },
          {"exp_avg", "exp_avg_sq"}};
}

const Format& format_of(const TrainedPart& part) {
  using namespace torch::optim;
  static const std::vector<Format> formats{sgd_format(), moments_format<Adam, AdamParamState>(),
                                           moments_format<AdamW, AdamWParamState>()};
  for (const auto& format : formats) {
    if (format.fits(*part.optimizer)) return format;
  }
  throw Error("the optimizer of " + part.name +
              " is none whose state can be written to a checkpoint: SGD, Adam, AdamW");
}

std::string state_name(const NamedTensor& parameter, const std::string& part) {
  return "optimizer." + parameter.name + "." + part;
}

auto key_of(const NamedTensor& parameter) {
  return compat::optimizer_state_key(parameter.tensor.unsafeGetTensorImpl());
}

using TensorMap = std::unordered_map<std::string, torch::Tensor>;

torch::Tensor find(const TensorMap& tensors, const std::string& name) {
  const auto found = tensors.find(name);
  return found == tensors.end() ? torch::Tensor() : found->second;
}

void check_shapes(const std::vector<TrainedPart>& parts, const TensorMap& tensors) {
  for (const auto& part : parts) {
    if (!part.optimizer) continue;
    for (const auto& parameter : part.parameters) {
      for (const auto& name : format_of(part).tensors) {
        const auto found = find(tensors, state_name(parameter, name));
        if (found.defined() && found.sizes() != parameter.tensor.sizes()) {
          throw UserError("'" + state_name(parameter, name) +
                          "' has another shape than its parameter");
        }
      }
    }
  }
}

}  // namespace

std::vector<NamedTensor> optimizer_state(const TrainedPart& part, const NamedTensor& parameter) {
  std::vector<NamedTensor> tensors;
  auto& states = part.optimizer->state();
  const auto found = states.find(key_of(parameter));
  if (found == states.end()) return tensors;
  for (auto& piece : format_of(part).parts(*found->second)) {
    tensors.push_back({state_name(parameter, piece.name), std::move(piece.tensor)});
  }
  return tensors;
}

std::vector<NamedTensor> optimizer_state(const std::vector<TrainedPart>& parts) {
  std::vector<NamedTensor> tensors;
  for (const auto& part : parts) {
    for (const auto& parameter : part.parameters) {
      for (auto& piece : optimizer_state(part, parameter)) tensors.push_back(std::move(piece));
    }
  }
  return tensors;
}

void set_optimizer_state(const std::vector<TrainedPart>& parts,
                         const std::vector<NamedTensor>& state) {
  const torch::NoGradGuard no_grad;
  TensorMap tensors;
  for (const auto& named : state) tensors.emplace(named.name, named.tensor);
  check_shapes(parts, tensors);
  const measure::MemoryKindScope kind(measure::MemoryKind::optimizer_state);
  for (const auto& part : parts) {
    for (const auto& parameter : part.parameters) {
      auto& states = part.optimizer->state();
      states.erase(key_of(parameter));
      auto made = format_of(part).make([&](const std::string& name) {
        const auto found = find(tensors, state_name(parameter, name));
        if (!found.defined() || found.sizes() != parameter.tensor.sizes()) return found;
        return torch::empty_like(parameter.tensor).copy_(found);
      });
      if (made) states[key_of(parameter)] = std::move(made);
    }
  }
}

}  // namespace mlaan
