// What an auxiliary net begins with, where that is linear.
#pragma once

#include <mlaan/nn/linear_map.h>
#include <mlaan/nn/unit.h>

#include <torch/types.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace mlaan {

/// The linear map that a net begins with. It runs outside autograd's graph, and the gradient of its
/// input is computed here from that of its output, which so need not be kept at the input's size.
class LinearReading {
 public:
  /// \param units of a net, of which the first one counts, if it is a linear map.
  explicit LinearReading(const std::vector<Unit>& units);

  /// How many of the units it stands for: 1 or 0.
  std::size_t size() const { return unit_ ? 1 : 0; }

  /// What the unit makes of the input: for none, the input.
  torch::Tensor read(const torch::Tensor& input);

  // Where there is a unit: the gradient of its input from that of its output.

  /// The gradient of the output, times a factor, as LinearMap::shares() gives it.
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const;
  /// The gradient of the input from these shares, in new memory, in the input's memory format.
  torch::Tensor send_back(const torch::Tensor& shares) const;
  /// The same, cut to 0 where the input, the output of a ReLU, is 0.
  torch::Tensor send_back_cut(const torch::Tensor& shares, const torch::Tensor& input) const;
  /// Adds it to a sum of the input's shape, in place.
  void add_to(const torch::Tensor& sum, const torch::Tensor& shares) const;

 private:
  torch::Tensor empty_gradient() const;

  std::optional<Unit> unit_;
  const LinearMap* map_ = nullptr;  ///< the unit's
  std::vector<std::int64_t> input_sizes_;
  torch::TensorOptions input_options_;
  torch::MemoryFormat input_format_ = torch::MemoryFormat::Contiguous;
};

}  // namespace mlaan
