// The optimizer state of each parameter, as named tensors.
#include "core/libtorch_compat.h"
#include "local/eight_bit_optimizer.h"

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
/// Returns the part of a state that has this name; undefined if there is none.
using Take = std::function<torch::Tensor(const std::string& name)>;

/// Converts the states of one kind of optimizer to named tensors and back.
struct Format {
  /// The state's parts; empty for the state of another kind of optimizer.
  std::function<std::vector<NamedTensor>(State& state)> parts;
  /// Whether the optimizer is of this kind.
  std::function<bool(const torch::optim::Optimizer& optimizer)> fits;
  /// Makes a state of its parts; null if they are missing.
  std::function<std::unique_ptr<State>(const Take& take, const torch::Tensor& parameter)> make;
  std::vector<std::string> tensors;  ///< names of the parts that have the parameter's shape
  std::vector<std::string> rows;     ///< names of the parts that have one number per row
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
          [](const Take& take, const torch::Tensor&) -> std::unique_ptr<State> {
            const auto buffer = take("momentum_buffer");
            if (!buffer.defined()) return nullptr;
            auto state = std::make_unique<SGDParamState>();
            state->momentum_buffer(buffer);
            return state;
          },
          {"momentum_buffer"},
          {}};
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
          [](const Take& take, const torch::Tensor&) -> std::unique_ptr<State> {
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
          {"exp_avg", "exp_avg_sq"},
          {}};
}

constexpr const char* codes_suffix = ".codes";
constexpr const char* scales_suffix = ".scales";
constexpr const char* eight_bit_step = "eight_bit.step";

std::vector<NamedTensor> parts_of(const EightBitState& state,
                                  const std::vector<std::string>& names) {
  std::vector<NamedTensor> parts;
  for (std::size_t i = 0; i < state.moments.size(); ++i) {
    parts.push_back({names.at(i) + codes_suffix, state.moments[i].codes});
    parts.push_back({names.at(i) + scales_suffix, state.moments[i].scales});
  }
  parts.push_back({eight_bit_step, torch::full({1}, state.step, torch::kInt64)});
  return parts;
}

/// Null if one of the parts is missing or of another type.
std::unique_ptr<State> make_eight_bits(const Take& take, const std::vector<std::string>& names) {
  const auto step = take(eight_bit_step);
  if (!step.defined()) return nullptr;
  auto state = std::make_unique<EightBitState>();
  state->step = step.item<std::int64_t>();
  for (const auto& name : names) {
    const auto codes = take(name + codes_suffix);
    const auto scales = take(name + scales_suffix);
    const bool known = codes.defined() && codes.scalar_type() == torch::kUInt8 &&
                       scales.defined() && scales.is_floating_point();
    if (!known) return nullptr;
    state->moments.push_back({codes, scales});
  }
  return state;
}

/// The format of the same optimizer with 8-bit moments of large weights: parts of the same names,
/// each as codes and scales.
Format with_eight_bits(const Format& plain) {
  const auto names = plain.tensors;
  Format format;
  format.fits = [plain](const torch::optim::Optimizer& optimizer) {
    return dynamic_cast<const KeepsEightBits*>(&optimizer) != nullptr && plain.fits(optimizer);
  };
  format.parts = [plain, names](State& state) {
    const auto* known = dynamic_cast<const EightBitState*>(&state);
    return known == nullptr ? plain.parts(state) : parts_of(*known, names);
  };
  format.make = [plain, names](const Take& take, const torch::Tensor& parameter) {
    return is_worth_eight_bits(parameter) ? make_eight_bits(take, names)
                                          : plain.make(take, parameter);
  };
  format.tensors = names;
  for (const auto& name : names) {
    format.tensors.push_back(name + codes_suffix);
    format.rows.push_back(name + scales_suffix);
  }
  return format;
}

std::vector<Format> all_formats() {
  using namespace torch::optim;
  const std::vector<Format> plain{sgd_format(), moments_format<Adam, AdamParamState>(),
                                  moments_format<AdamW, AdamWParamState>()};
  std::vector<Format> formats;
  for (const auto& format : plain) formats.push_back(with_eight_bits(format));
  formats.insert(formats.end(), plain.begin(), plain.end());
  return formats;
}

const Format& format_of(const TrainedPart& part) {
  static const std::vector<Format> formats = all_formats();
  for (const auto& format : formats) {
    if (format.fits(*part.optimizer)) return format;
  }
  throw Error(
      "the optimizer of " + part.name +
      " has a state that cannot be written to a checkpoint; accepted: SGD, Adam, AdamW, LAMB");
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
      for (const auto& name : format_of(part).rows) {
        const auto found = find(tensors, state_name(parameter, name));
        if (!found.defined() || !is_worth_eight_bits(parameter.tensor)) continue;
        if (found.dim() != 1 || found.size(0) != rows_of(parameter.tensor).size(0)) {
          throw UserError("'" + state_name(parameter, name) +
                          "' has another number of scales than its parameter has rows");
        }
      }
    }
  }
}

/// A copy on the parameter's device, in its memory format if the shapes are equal, and of its dtype
/// unless `found` holds codes. Step counts are returned as they are.
torch::Tensor placed(const torch::Tensor& found, const torch::Tensor& parameter) {
  const auto options = parameter.options().requires_grad(false);
  const bool is_number = !found.is_floating_point() && found.scalar_type() != torch::kUInt8;
  if (is_number) return found;
  if (found.sizes() != parameter.sizes()) return torch::empty(found.sizes(), options).copy_(found);
  const auto type = found.is_floating_point() ? parameter.scalar_type() : torch::kUInt8;
  return torch::empty_like(parameter, options.dtype(type)).copy_(found);
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
      auto made = format_of(part).make(
          [&](const std::string& name) {
            const auto found = find(tensors, state_name(parameter, name));
            return found.defined() ? placed(found, parameter.tensor) : found;
          },
          parameter.tensor);
      if (made) states[key_of(parameter)] = std::move(made);
    }
  }
}

}  // namespace mlaan
