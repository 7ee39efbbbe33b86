// The names of a traced graph's values in an ONNX model.
#pragma once

#include "io/onnx_model.h"
#include "train/traced_network.h"

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>

namespace mlaan {

class OnnxValues {
 public:
  /// Adds the input "images" to the model.
  OnnxValues(const TracedNetwork& traced, const MultiExitNetwork& network, OnnxModel& model);

  void add(const torch::jit::Value* value, const std::string& name) { names_[value] = name; }
  /// Registers the submodule, parameter or buffer that a GetAttr node reads.
  void add_attribute(const torch::jit::Node& node);

  /// The name of a tensor or number. A parameter becomes an initializer when it is first asked for.
  std::string name(const torch::jit::Value* value);
  /// Adds a tensor as an initializer for this value, and returns its name.
  std::string constant_tensor(const torch::jit::Value* value, const torch::Tensor& tensor);

  std::int64_t dimensions(const torch::jit::Value* value) const;
  /// \throws UserError for a size that depends on the batch.
  std::int64_t fixed_size(const torch::jit::Value* value, std::size_t dimension) const;
  /// The sizes of a tensor, as an operator's input.
  /// \param open whether the size that depends on the batch is left to the operator to infer (−1);
  ///        else it is computed.
  std::string shape(const torch::jit::Value* value, bool open);

 private:
  /// The batch size times `factor`, as a list of one number.
  std::string batch_times(std::int64_t factor);

  const TracedNetwork& traced_;
  OnnxModel& model_;
  std::map<std::string, torch::Tensor> tensors_;                     ///< parameters and buffers
  std::unordered_map<const torch::jit::Value*, std::string> names_;  ///< names given so far
  std::set<std::string> written_;                                    ///< initializers so far
  std::string batch_;
};

}  // namespace mlaan
