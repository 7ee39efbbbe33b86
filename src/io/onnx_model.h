// Writes ONNX models (Open Neural Network Exchange) node by node, and reads them.
#pragma once

#include "io/protobuf.h"

#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace mlaan {

/// The version of the operator set that models use.
inline constexpr std::int64_t onnx_opset = 17;

using OnnxAttribute = std::variant<std::int64_t, double, std::vector<std::int64_t>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttribute>>;

/// A model that is being built. Values are identified by name.
class OnnxModel {
 public:
  /// \param name name of the graph.
  explicit OnnxModel(std::string name) : name_(std::move(name)) {}

  /// Adds a float32 input with a batch dimension of any size. \param sizes without the batch.
  void add_input(const std::string& name, const std::vector<std::int64_t>& sizes);
  void add_output(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// Adds a constant tensor: float32 or int64.
  void add_initializer(const std::string& name, const torch::Tensor& tensor);
  /// Adds a node. \return the name of its output: `output`, or a generated name.
  std::string add_node(const std::string& op, const std::vector<std::string>& inputs,
                       const OnnxAttributes& attributes = {}, const std::string& output = "");
  /// Adds a constant to use as an input. \return its name.
  std::string constant(const std::vector<std::int64_t>& numbers);
  std::string constant(double number);
  void add_metadata(const std::string& key, const std::string& value);

  /// All serialised nodes: what the model computes, apart from its weights.
  const std::string& nodes() const { return nodes_.bytes(); }

  /// The serialised model. \throws Error from 2 GiB on, which the format cannot hold.
  std::string to_bytes() const;

 private:
  static ProtobufWriter value_info(const std::string& name, const std::vector<std::int64_t>& sizes);

  std::string name_;
  ProtobufWriter nodes_;
  ProtobufWriter values_;  ///< initializers, inputs and outputs
  ProtobufWriter metadata_;
  std::int64_t made_up_ = 0;
};

/// The content of a file that read_onnx() has read.
struct OnnxContent {
  std::string nodes;  ///< see OnnxModel::nodes()
  std::vector<NamedTensor> initializers;
  std::map<std::string, std::string> metadata;
};

/// \throws UserError if the bytes are not a model that contains its weights.
OnnxContent read_onnx(std::string_view bytes);

}  // namespace mlaan
