// Backbones from TorchScript files.
#include "core/libtorch_compat.h"
#include "core/require_file.h"
#include "core/trial_in_child.h"
#include "nn/backbones/script_mode.h"
#include "nn/chain.h"

#include <mlaan/nn/backbones/scripted_backbone.h>
#include <mlaan/nn/probe.h>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/runtime/graph_executor.h>
#include <torch/csrc/jit/serialization/import.h>
#include <torch/nn/module.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <utility>

namespace mlaan {
namespace {

namespace fs = std::filesystem;

/// A module of the C++ frontend that registers a TorchScript module's tensors under their names.
class ScriptTensors : public torch::nn::Module {
 public:
  explicit ScriptTensors(const torch::jit::Module& script) { adopt(script); }

 protected:
  ScriptTensors() = default;

  void adopt(const torch::jit::Module& script) {
    for (const auto& parameter : script.named_parameters(/*recurse=*/false)) {
      register_parameter(parameter.name, parameter.value, parameter.value.requires_grad());
    }
    for (const auto& buffer : script.named_buffers(/*recurse=*/false)) {
      register_buffer(buffer.name, buffer.value);
    }
    for (const auto& child : script.named_children()) {
      register_module(child.name, std::make_shared<ScriptTensors>(child.value));
    }
  }
};

/// A TorchScript module as a layer.
class ScriptedLayer : public ScriptTensors {
 public:
  explicit ScriptedLayer(torch::jit::Module script) : script_(std::move(script)) { adopt(script_); }

  torch::Tensor forward(const torch::Tensor& input) {
    const torch::jit::GraphOptimizerEnabledGuard as_written(false);
    return script_.forward({input}).toTensor();
  }

  void train(bool on) override {
    ScriptTensors::train(on);
    script_.train(on);
  }

  std::shared_ptr<torch::nn::Module> clone(
      const compat::OptionalDevice& device = {}) const override {
    const torch::NoGradGuard no_grad;  // copied parameters have to be leaves
    auto copy = std::make_shared<ScriptedLayer>(script_.deepcopy());
    for (auto& parameter : copy->parameters()) parameter.set_requires_grad(true);
    if (device) copy->to(*device);
    return copy;
  }

 private:
  torch::jit::Module script_;
};

std::string type_of(const torch::jit::Module& script) {
  const auto name = script.type()->name();
  return name ? name->name() : "";
}

bool mentions_any(const std::string& text, std::initializer_list<const char*> parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](const char* part) { return text.find(part) != std::string::npos; });
}

ChainLayer::Role role_of(const torch::jit::Module& script) {
  const std::string type = type_of(script);
  if (mentions_any(type, {"Flatten", "AdaptiveAvgPool", "AdaptiveMaxPool"})) {
    return ChainLayer::Role::leads_into_head;
  }
  const bool joins = script.parameters().size() == 0 ||
                     mentions_any(type, {"BatchNorm", "LayerNorm", "GroupNorm"});
  return joins ? ChainLayer::Role::joins : ChainLayer::Role::begins_unit;
}

struct NamedScript {
  std::string name;
  torch::jit::Module script;
};

/// The children in order; a Sequential is replaced by its own children.
std::vector<NamedScript> children_of(const torch::jit::Module& script, const std::string& prefix) {
  std::vector<NamedScript> children;
  for (const auto& child : script.named_children()) {
    const std::string name = prefix + child.name;
    if (type_of(child.value) == "Sequential") {
      for (auto& inner : children_of(child.value, name + ".")) children.push_back(std::move(inner));
    } else {
      children.push_back({name, child.value});
    }
  }
  return children;
}

/// Two samples without random numbers: loading a network must not advance the generator.
torch::Tensor two_samples(const Shape& shape) {
  const torch::Tensor zeros = zero_batch(2, shape);
  return (torch::arange(zeros.numel(), torch::kFloat32) * 0.7).sin().view_as(zeros);
}

/// Whether running the children one after the other gives the output of the whole module.
bool is_chain(torch::jit::Module whole, std::vector<NamedScript>& children, torch::Tensor value) {
  const torch::NoGradGuard no_grad;
  whole.eval();
  const torch::Tensor expected = whole.forward({value.clone()}).toTensor();
  try {
    for (auto& child : children) value = child.script.forward({value}).toTensor();
  } catch (const std::exception&) {
    return false;  // a child reads something else
  }
  return value.sizes() == expected.sizes() && torch::allclose(value, expected, 1e-4, 1e-5);
}

/// The first line of LibTorch's message, without the trace.
std::string first_lines(const std::exception& error) {
  std::string text = error.what();
  const auto last = text.rfind("Error: ");
  if (last != std::string::npos) text = text.substr(last + 7);
  return text.substr(0, text.find('\n'));
}

Backbone cut_script(const std::string& file, const Shape& input_shape) {
  const torch::jit::GraphOptimizerEnabledGuard as_written(false);
  try {
    const torch::jit::Module whole = torch::jit::load(file, c10::Device(c10::kCPU));
    const torch::Tensor sample = two_samples(input_shape);
    check_follows_mode(whole, sample, file);
    auto children = children_of(whole, "");
    if (!is_chain(whole, children, sample)) {
      throw UserError(
          file +
          " cannot be cut: its children, run in order, do not give its output. Accepted: a "
          "torch.nn.Sequential, or a module whose forward pass runs its children in the order in "
          "which they were assigned; functions between them (flatten, relu) must be layers");
    }
    std::vector<ChainLayer> chain;
    for (auto& child : children) {
      const auto role = role_of(child.script);
      chain.push_back({{child.name, torch::nn::AnyModule(
                                        std::make_shared<ScriptedLayer>(std::move(child.script)))},
                       role});
    }
    return cut_chain(std::move(chain), input_shape, fs::path(file).stem().string());
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(file + " is not a TorchScript file that reads samples of " +
                    to_string(input_shape) + ": " + first_lines(error));
  }
}

}  // namespace

bool is_script_file(const std::string& model) {
  return fs::path(model).extension() == ".pt";
}

Backbone scripted_backbone(const std::string& file, const Shape& input_shape) {
  require_file(file);
  try_opening(file, [&] { cut_script(file, input_shape); });
  return cut_script(file, input_shape);
}

}  // namespace mlaan
