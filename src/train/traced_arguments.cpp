// Arguments of the operators of a traced graph, by name.
#include "train/traced_arguments.h"

#include <mlaan/core/error.h>

namespace mlaan::traced_arguments {
namespace {

namespace jit = torch::jit;

[[noreturn]] void refuse_computed(const jit::Node& node, const char* name) {
  throw UserError(
      std::string(node.kind().toQualString()) + ": its " + name +
      " depends on the batch, which mlaan does not write as ONNX; export the network to "
      "torchscript");
}

}  // namespace

const jit::Value* input(const jit::Node& node, const char* name) {
  return node.namedInput(std::string(name));
}

c10::IValue constant(const jit::Node& node, const char* name) {
  const auto value = jit::toIValue(input(node, name));
  if (!value) refuse_computed(node, name);
  return *value;
}

std::int64_t integer(const jit::Node& node, const char* name) {
  return constant(node, name).toInt();
}

std::vector<std::int64_t> integers(const jit::Node& node, const char* name) {
  const jit::Value* list = input(node, name);
  if (list->node()->kind() != c10::prim::ListConstruct) return constant(node, name).toIntVector();
  std::vector<std::int64_t> numbers;
  for (const auto* item : list->node()->inputs()) {
    const auto value = jit::toIValue(item);
    if (!value) refuse_computed(node, name);
    numbers.push_back(value->toInt());
  }
  return numbers;
}

bool is_none(const jit::Node& node, const char* name) {
  return input(node, name)->mustBeNone();
}

}  // namespace mlaan::traced_arguments
