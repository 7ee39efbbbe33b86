// The names of a traced graph's values in an ONNX model.
#include "train/onnx_values.h"

#include <mlaan/core/error.h>

#include <vector>

namespace mlaan {

namespace jit = torch::jit;

OnnxValues::OnnxValues(const TracedNetwork& traced, const MultiExitNetwork& network,
                       OnnxModel& model)
    : traced_(traced), model_(model) {
  for (const auto& named : network.named_parameters()) tensors_[named.name] = named.tensor;
  for (const auto& named : network.named_buffers()) tensors_[named.name] = named.tensor;
  model_.add_input("images", network.backbone.input_shape(0));
  names_[traced.graph->inputs().at(0)] = "";
  names_[traced.graph->inputs().at(1)] = "images";
}

void OnnxValues::add_attribute(const jit::Node& node) {
  const std::string& above = names_.at(node.inputs().at(0));
  names_[node.output()] = (above.empty() ? "" : above + ".") + node.s(jit::attr::name);
}

std::string OnnxValues::name(const jit::Value* value) {
  if (value->node()->kind() == c10::prim::Constant) {
    const auto constant = jit::toIValue(value);
    if (constant && constant->isTensor()) return constant_tensor(value, constant->toTensor());
    if (constant && constant->isScalar()) return model_.constant(constant->toScalar().toDouble());
  }
  const std::string& name = names_.at(value);
  const auto tensor = tensors_.find(name);
  if (tensor != tensors_.end() && written_.insert(name).second) {
    model_.add_initializer(name, tensor->second);
  }
  return name;
}

std::string OnnxValues::constant_tensor(const jit::Value* value, const torch::Tensor& tensor) {
  const std::string name = "tensor_" + value->debugName();
  if (written_.insert(name).second) model_.add_initializer(name, tensor);
  return name;
}

std::int64_t OnnxValues::dimensions(const jit::Value* value) const {
  return static_cast<std::int64_t>(traced_.sizes.at(value).size());
}

std::int64_t OnnxValues::fixed_size(const jit::Value* value, std::size_t dimension) const {
  const TracedSize& size = traced_.sizes.at(value).at(dimension);
  if (size.of_batch) throw UserError("a layer's own size depends on the batch");
  return size.size;
}

std::string OnnxValues::shape(const jit::Value* value, bool open) {
  std::vector<std::int64_t> numbers;
  std::vector<std::string> parts;
  bool computed = false;
  for (const auto& size : traced_.sizes.at(value)) {
    const bool unknown = size.of_batch && !open;
    computed = computed || unknown;
    numbers.push_back(size.of_batch ? -1 : size.size);
    parts.push_back(unknown ? batch_times(size.size) : "");
  }
  if (!computed) return model_.constant(numbers);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (parts[i].empty()) parts[i] = model_.constant(std::vector<std::int64_t>{numbers[i]});
  }
  return model_.add_node("Concat", parts, {{"axis", std::int64_t{0}}});
}

std::string OnnxValues::batch_times(std::int64_t factor) {
  const auto list = [&](std::int64_t number) {
    return model_.constant(std::vector<std::int64_t>{number});
  };
  if (batch_.empty()) {
    const std::string shape = model_.add_node("Shape", {"images"});
    batch_ = model_.add_node("Gather", {shape, list(0)}, {{"axis", std::int64_t{0}}});
  }
  return factor == 1 ? batch_ : model_.add_node("Mul", {batch_, list(factor)});
}

}  // namespace mlaan
