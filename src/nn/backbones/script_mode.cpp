// Checks that a TorchScript network follows train() and eval().
#include "nn/backbones/script_mode.h"

#include "core/joined.h"

#include <mlaan/core/error.h>
#include <mlaan/core/random.h>

#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/inliner.h>
#include <torch/utils.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>
#include <vector>

namespace mlaan {
namespace {

using torch::jit::IValue;
using torch::jit::Node;

/// The constant that a node passes as the first of these arguments; none if it is not constant.
std::optional<IValue> constant_argument(const Node& node, const std::vector<std::string>& names) {
  const auto* schema = node.maybeSchema();
  if (schema == nullptr) return std::nullopt;
  const auto& arguments = schema->arguments();
  for (std::size_t i = 0; i < std::min(arguments.size(), node.inputs().size()); ++i) {
    if (std::find(names.begin(), names.end(), arguments[i].name()) == names.end()) continue;
    if (const auto value = torch::jit::toIValue(node.inputs()[i])) return *value;
    return std::nullopt;
  }
  return std::nullopt;
}

bool drops_nothing(const Node& node) {
  const auto share = constant_argument(node, {"p", "dropout", "dropout_p"});
  return share && share->isDouble() && share->toDouble() == 0;
}

/// Normalisation that uses batch statistics in both modes, since it has no running statistics.
bool keeps_no_statistics(const Node& node) {
  const auto mean = constant_argument(node, {"running_mean"});
  return mean && mean->isNone();
}

/// The mode that an operator is fixed to; none if it has no mode or reads the mode at run time.
std::optional<bool> fixed_mode(const Node& node) {
  if (drops_nothing(node) || keeps_no_statistics(node)) return std::nullopt;
  // Fused attention has no mode: it applies whatever dropout probability it is given.
  if (constant_argument(node, {"dropout_p"})) return true;
  const auto mode = constant_argument(node, {"training", "train", "use_input_stats"});
  return mode && mode->isBool() ? std::optional<bool>(mode->toBool()) : std::nullopt;
}

struct FixedOperators {
  std::set<std::string> to_training;
  std::set<std::string> to_evaluation;
};

void find_fixed(const torch::jit::Block& block, FixedOperators& found) {
  for (const auto* node : block.nodes()) {
    if (const auto training = fixed_mode(*node)) {
      (*training ? found.to_training : found.to_evaluation).insert(node->kind().toUnqualString());
    }
    for (const auto* inner : node->blocks()) find_fixed(*inner, found);
  }
}

std::string advice(const std::string& file) {
  return "; script the network instead: torch.jit.script(network).save(\"" +
         std::filesystem::path(file).filename().string() + "\")";
}

}  // namespace

void check_follows_mode(const torch::jit::Module& script, const torch::Tensor& sample,
                        const std::string& file) {
  const auto graph = script.get_method("forward").graph()->copy();
  torch::jit::Inline(*graph);
  FixedOperators fixed;
  find_fixed(*graph->block(), fixed);
  if (!fixed.to_training.empty()) {
    throw UserError(file + " was traced in training mode, which is now fixed (" +
                    joined(fixed.to_training, ", ") +
                    "): tests would use batch statistics or dropout" + advice(file));
  }
  if (!fixed.to_evaluation.empty()) {
    throw UserError(file + " was traced in evaluation mode, which is now fixed (" +
                    joined(fixed.to_evaluation, ", ") +
                    "): it would be trained without batch statistics, or without dropout" +
                    advice(file));
  }
  const torch::NoGradGuard no_grad;
  const DefaultGeneratorGuard generator{c10::Device(c10::kCPU)};
  torch::jit::Module network = script;
  network.eval();
  const auto logits = [&] { return network.forward({sample.clone()}).toTensor(); };
  if (!torch::allclose(logits(), logits(), 1e-4, 1e-5, /*equal_nan=*/true)) {
    throw UserError(file + " gives different logits each time it is evaluated" + advice(file));
  }
}

}  // namespace mlaan
