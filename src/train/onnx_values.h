// What the values of a traced graph are called in an ONNX model.
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
  /// Gives the model its input.
  OnnxValues(const TracedNetwork& traced, const MultiExitNetwork& network, OnnxModel& model);

  void add(const torch::jit::Value* value, const std::string& name) { names_[value] = name; }
  /// A module's part, or one of its tensors.
  void add_attribute(const torch::jit::Node& node);

  /// Of a tensor or a number. Parameters become initializers when they are first asked for.
  std::string name(const torch::jit::Value* value);
  /// The name of an initializer that stands for this value.
  std::string constant_tensor(const torch::jit::Value* value, const torch::Tensor& tensor);

  std::int64_t dimensions(const torch::jit::Value* value) const;
  /// \throws UserError for a size that grows with the batch.
  std::int64_t fixed_size(const torch::jit::Value* value, std::size_t dimension) const;
  /// A tensor's sizes as an input of an operator.
  /// \param open the size that grows with the batch is left to be found out; else it is computed.
  std::string shape(const torch::jit::Value* value, bool open);

 private:
  /// The size of the batch, or a multiple of it, as a list of one number.
  std::string batch_times(std::int64_t factor);

  const TracedNetwork& traced_;
  OnnxModel& model_;
  std::map<std::string, torch::Tensor> tensors_;                     ///< parameters and buffers
  std::unordered_map<const torch::jit::Value*, std::string> names_;  ///< so far
  std::set<std::string> written_;                                    ///< initializers
  std::string batch_;
};

}  // namespace mlaan
