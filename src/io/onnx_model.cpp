// Writes ONNX models (Open Neural Network Exchange) node by node, and reads them.
#include "io/onnx_model.h"

#include <mlaan/core/error.h>

#include <cstring>
#include <limits>

namespace mlaan {
namespace {

// Field numbers of onnx.proto3.
namespace model_field {
constexpr int ir_version = 1;
constexpr int producer_name = 2;
constexpr int graph = 7;
constexpr int opset_import = 8;
constexpr int metadata_props = 14;
}  // namespace model_field
namespace graph_field {
constexpr int node = 1;
constexpr int name = 2;
constexpr int initializer = 5;
constexpr int input = 11;
constexpr int output = 12;
}  // namespace graph_field
namespace node_field {
constexpr int input = 1;
constexpr int output = 2;
constexpr int op_type = 4;
constexpr int attribute = 5;
}  // namespace node_field
namespace attribute_field {
constexpr int name = 1;
constexpr int real = 2;
constexpr int integer = 3;
constexpr int integers = 8;
constexpr int type = 20;
constexpr int type_real = 1;
constexpr int type_integer = 2;
constexpr int type_integers = 7;
}  // namespace attribute_field
namespace tensor_field {
constexpr int sizes = 1;
constexpr int type = 2;
constexpr int name = 8;
constexpr int bytes = 9;
constexpr int type_float32 = 1;
constexpr int type_int64 = 7;
}  // namespace tensor_field
namespace entry_field {
constexpr int key = 1;
constexpr int value = 2;
}  // namespace entry_field

/// The IR version that was released with operator set 17.
constexpr std::int64_t ir_version = 8;

struct AttributeWriter {
  ProtobufWriter& message;

  void operator()(std::int64_t value) const {
    message.integer(attribute_field::integer, value);
    message.integer(attribute_field::type, attribute_field::type_integer);
  }
  void operator()(double value) const {
    message.float32(attribute_field::real, static_cast<float>(value));
    message.integer(attribute_field::type, attribute_field::type_real);
  }
  void operator()(const std::vector<std::int64_t>& values) const {
    for (const auto value : values) message.integer(attribute_field::integers, value);
    message.integer(attribute_field::type, attribute_field::type_integers);
  }
};

ProtobufWriter metadata_entry(const std::string& key, const std::string& value) {
  ProtobufWriter message;
  message.text(entry_field::key, key);
  message.text(entry_field::value, value);
  return message;
}

std::pair<std::string, std::string> read_entry(std::string_view bytes) {
  std::pair<std::string, std::string> result;
  ProtobufReader reader(bytes);
  while (reader.next()) {
    if (reader.field() == entry_field::key) result.first = reader.bytes();
    if (reader.field() == entry_field::value) result.second = reader.bytes();
  }
  return result;
}

NamedTensor read_tensor(std::string_view message) {
  std::string name;
  std::vector<std::int64_t> sizes;
  std::uint64_t type = 0;
  std::string_view bytes;
  ProtobufReader reader(message);
  while (reader.next()) {
    if (reader.field() == tensor_field::name) name = reader.bytes();
    if (reader.field() == tensor_field::type) type = reader.number();
    if (reader.field() == tensor_field::bytes) bytes = reader.bytes();
    if (reader.field() != tensor_field::sizes) continue;
    auto packed = reader.bytes();
    if (packed.empty()) sizes.push_back(static_cast<std::int64_t>(reader.number()));
    while (!packed.empty()) {
      sizes.push_back(static_cast<std::int64_t>(ProtobufReader::take_varint(packed)));
    }
  }
  const bool is_float = type == tensor_field::type_float32;
  std::uint64_t expected = is_float ? sizeof(float) : sizeof(std::int64_t);
  for (const auto size : sizes) {
    if (size < 0 || (size > 0 && expected > bytes.size() / static_cast<std::uint64_t>(size))) {
      throw UserError("its tensor '" + name + "' is not of the size that it says");
    }
    expected *= static_cast<std::uint64_t>(size);
  }
  if (expected != bytes.size() || (!is_float && type != tensor_field::type_int64)) {
    throw UserError("its tensor '" + name + "' is not one that mlaan writes");
  }
  torch::Tensor tensor = torch::empty(sizes, is_float ? torch::kFloat32 : torch::kInt64);
  std::memcpy(tensor.data_ptr(), bytes.data(), bytes.size());
  return {name, tensor};
}

void read_graph(std::string_view bytes, OnnxContent& content) {
  ProtobufWriter nodes;
  ProtobufReader reader(bytes);
  while (reader.next()) {
    if (reader.field() == graph_field::node) nodes.text(graph_field::node, reader.bytes());
    if (reader.field() == graph_field::initializer) {
      content.initializers.push_back(read_tensor(reader.bytes()));
    }
  }
  content.nodes = nodes.bytes();
}

}  // namespace

ProtobufWriter OnnxModel::value_info(const std::string& name,
                                     const std::vector<std::int64_t>& sizes) {
  // TypeProto { tensor_type = 1: { elem_type = 1, shape = 2: { dim = 1: { dim_value = 1,
  // dim_param = 2 } } } }
  ProtobufWriter batch;
  batch.text(2, "batch");
  ProtobufWriter shape;
  shape.message(1, batch);
  for (const auto size : sizes) {
    ProtobufWriter dimension;
    dimension.integer(1, size);
    shape.message(1, dimension);
  }
  ProtobufWriter tensor;
  tensor.integer(1, tensor_field::type_float32);
  tensor.message(2, shape);
  ProtobufWriter type;
  type.message(1, tensor);
  ProtobufWriter info;
  info.text(1, name);
  info.message(2, type);
  return info;
}

void OnnxModel::add_input(const std::string& name, const std::vector<std::int64_t>& sizes) {
  values_.message(graph_field::input, value_info(name, sizes));
}

void OnnxModel::add_output(const std::string& name, const std::vector<std::int64_t>& sizes) {
  values_.message(graph_field::output, value_info(name, sizes));
}

void OnnxModel::add_initializer(const std::string& name, const torch::Tensor& tensor) {
  const bool is_float = tensor.is_floating_point();
  const torch::Tensor plain =
      tensor.detach().to(torch::kCPU, is_float ? torch::kFloat32 : torch::kInt64).contiguous();
  ProtobufWriter message;
  for (const auto size : plain.sizes()) message.integer(tensor_field::sizes, size);
  message.integer(tensor_field::type,
                  is_float ? tensor_field::type_float32 : tensor_field::type_int64);
  message.text(tensor_field::name, name);
  message.text(tensor_field::bytes, {static_cast<const char*>(plain.data_ptr()), plain.nbytes()});
  values_.message(graph_field::initializer, message);
}

std::string OnnxModel::add_node(const std::string& op, const std::vector<std::string>& inputs,
                                const OnnxAttributes& attributes, const std::string& output) {
  const std::string name = output.empty() ? "value_" + std::to_string(made_up_++) : output;
  ProtobufWriter node;
  for (const auto& input : inputs) node.text(node_field::input, input);
  node.text(node_field::output, name);
  node.text(node_field::op_type, op);
  for (const auto& [key, value] : attributes) {
    ProtobufWriter attribute;
    attribute.text(attribute_field::name, key);
    std::visit(AttributeWriter{attribute}, value);
    node.message(node_field::attribute, attribute);
  }
  nodes_.message(graph_field::node, node);
  return name;
}

std::string OnnxModel::constant(const std::vector<std::int64_t>& numbers) {
  const std::string name = "constant_" + std::to_string(made_up_++);
  add_initializer(name, torch::tensor(numbers, torch::kInt64));
  return name;
}

std::string OnnxModel::constant(double number) {
  const std::string name = "constant_" + std::to_string(made_up_++);
  add_initializer(name, torch::tensor(number, torch::kFloat32));
  return name;
}

void OnnxModel::add_metadata(const std::string& key, const std::string& value) {
  metadata_.message(model_field::metadata_props, metadata_entry(key, value));
}

std::string OnnxModel::to_bytes() const {
  ProtobufWriter name;
  name.text(graph_field::name, name_);
  ProtobufWriter opset;
  opset.integer(2, onnx_opset);
  ProtobufWriter model;
  model.integer(model_field::ir_version, ir_version);
  model.text(model_field::producer_name, "mlaan");
  model.message(model_field::opset_import, opset);
  model.text(model_field::graph, nodes_.bytes() + name.bytes() + values_.bytes());
  std::string bytes = model.bytes() + metadata_.bytes();
  if (bytes.size() > std::numeric_limits<std::int32_t>::max()) {
    throw Error("the network takes 2 GiB or more, which a single ONNX file cannot hold");
  }
  return bytes;
}

OnnxContent read_onnx(std::string_view bytes) {
  OnnxContent content;
  bool has_graph = false;
  ProtobufReader reader(bytes);
  while (reader.next()) {
    if (reader.field() == model_field::graph) {
      read_graph(reader.bytes(), content);
      has_graph = true;
    }
    if (reader.field() == model_field::metadata_props) {
      content.metadata.insert(read_entry(reader.bytes()));
    }
  }
  if (!has_graph) throw UserError("it has no graph");
  return content;
}

}  // namespace mlaan
