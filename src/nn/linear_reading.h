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

/// The linear map that a net reads its input through, run without recording. Gradients go the other
/// way by themselves, so that they need not be kept at the size of the input.
class LinearReading {
 public:
  /// \param units of a net, of which the first one counts, if it is a linear map.
  explicit LinearReading(const std::vector<Unit>& units);

  /// How many of the units it stands for: 1 or 0.
  std::size_t size() const { return unit_ ? 1 : 0; }

  /// What the unit makes of the input: for none, the input.
  torch::Tensor read(const torch::Tensor& input);

  // For a reading of a unit: gradients of what was read, from those of what was given.

  /// A gradient of what was given, times a factor, as the positions' shares (LinearMap::shares).
  torch::Tensor shares(const torch::Tensor& gradient, double factor) const;
  /// From the shares, in new memory, in the input's memory format.
  torch::Tensor send_back(const torch::Tensor& shares) const;
  /// The same, cut to 0 where the input, the output of a ReLU, is 0.
  torch::Tensor send_back_cut(const torch::Tensor& shares, const torch::Tensor& input) const;
  /// Added to a sum in the sum's place.
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
