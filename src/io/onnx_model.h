// ONNX models (Open Neural Network Exchange), written node by node.
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

/// The set of operators that models are written in.
inline constexpr std::int64_t onnx_opset = 17;

using OnnxAttribute = std::variant<std::int64_t, double, std::vector<std::int64_t>>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttribute>>;

/// A model under construction. Values are known by their names.
class OnnxModel {
 public:
  /// \param name of the graph.
  explicit OnnxModel(std::string name) : name_(std::move(name)) {}

  /// Float, of a batch of any size. \param sizes without the batch.
  void add_input(const std::string& name, const std::vector<std::int64_t>& sizes);
  void add_output(const std::string& name, const std::vector<std::int64_t>& sizes);
  /// A tensor that the model holds: float32 or int64.
  void add_initializer(const std::string& name, const torch::Tensor& tensor);
  /// An operator. \return the name of what it gives: `output`, or one that is made up.
  std::string add_node(const std::string& op, const std::vector<std::string>& inputs,
                       const OnnxAttributes& attributes = {}, const std::string& output = "");
  /// A list of numbers as an input. \return its name.
  std::string constant(const std::vector<std::int64_t>& numbers);
  std::string constant(double number);
  void add_metadata(const std::string& key, const std::string& value);

  /// All nodes as they stand in the file: what the model computes, whatever its weights.
  const std::string& nodes() const { return nodes_.bytes(); }

  /// The file. \throws Error for one of 2 GiB or more, which the format cannot hold.
  std::string to_bytes() const;

 private:
  static ProtobufWriter value_info(const std::string& name, const std::vector<std::int64_t>& sizes);

  std::string name_;
  ProtobufWriter nodes_;
  ProtobufWriter values_;  ///< initializers, inputs and outputs
  ProtobufWriter metadata_;
  std::int64_t made_up_ = 0;
};

/// What read_onnx() finds in a file.
struct OnnxContent {
  std::string nodes;  ///< as OnnxModel::nodes()
  std::vector<NamedTensor> initializers;
  std::map<std::string, std::string> metadata;
};

/// \throws UserError for bytes that are no model with its weights in it.
OnnxContent read_onnx(std::string_view bytes);

}  // namespace mlaan
