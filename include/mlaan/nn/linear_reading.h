// The linear map, such as average pooling, that an auxiliary net may begin with.
#pragma once

#include <mlaan/nn/linear_map.h>
#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mlaan {

/// The linear map that a net begins with, if any. It runs outside autograd's graph, and the
/// gradient of its input is computed here from that of its output, so that only the small gradient
/// of the output has to be kept.
class LinearReading {
 public:
  /// \param units of a net; only the first one matters, and only if it is a LinearMap.
  explicit LinearReading(const std::vector<Unit>& units);

  /// Number of the net's units that the reading replaces: 1 or 0.
  std::size_t size() const { return unit_ ? 1 : 0; }

  /// The unit's output for this input; without a unit, the input itself.
  torch::Tensor read(const torch::Tensor& input);

  // The functions below need a unit. They compute the gradient of its input from that of its
  // output.

  /// LinearMap::shares() of the output's gradient, times a factor.
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const;
  /// The gradient of the input from the result of shares(), in new memory, in the input's memory
  /// format.
  torch::Tensor send_back(const torch::Tensor& shares) const;
  /// Like send_back(), but 0 where the input, which is the output of a ReLU, is 0.
  torch::Tensor send_back_cut(const torch::Tensor& shares, const torch::Tensor& input) const;
  /// Adds the gradient of the input to `sum`, which has the input's shape, in place.
  void add_to(const torch::Tensor& sum, const torch::Tensor& shares) const;

 private:
  torch::Tensor empty_gradient() const;

  std::optional<Unit> unit_;
  const LinearMap* map_ = nullptr;  ///< the unit's layer
  std::vector<std::int64_t> input_sizes_;
  torch::TensorOptions input_options_;
  torch::MemoryFormat input_format_ = torch::MemoryFormat::Contiguous;
};

}  // namespace mlaan
