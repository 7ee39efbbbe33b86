// Layers that average regions of their input.
#pragma once

#include <torch/types.h>

#include <functional>

namespace mlaan {

/// A layer that averages regions of its input and has no parameters, random draws or state, such as
/// average pooling. Its output is small, and the gradient of its input follows from that of its
/// output alone. So where an auxiliary net begins with such a layer, the engine keeps the small
/// gradient, and expands it to the size of the module's output only where that is needed. Derive a
/// `torch::nn` module from it as well.
class LinearMap {
 public:
  /// Returns a view of one region of a tensor of the input's shape, the same region of every
  /// tensor.
  using Part = std::function<torch::Tensor(const torch::Tensor& input_sized)>;
  /// Receives one region of the input's gradient: its values, which broadcast to the region's
  /// shape, and where the region is.
  using Put = std::function<void(const torch::Tensor& values, const Part& part)>;

  virtual ~LinearMap() = default;
  /// The gradient that each input position receives from the output element that averages it, times
  /// `factor`: one number per output element, since all its positions receive the same. In new
  /// memory.
  virtual torch::Tensor shares(const torch::Tensor& gradient, double factor) const = 0;
  /// Computes the gradient of the input, as autograd would, from the result of shares(): calls
  /// `put` with regions that do not overlap and together cover the input.
  virtual void send_back(const torch::Tensor& shares, const Put& put) const = 0;

 protected:
  LinearMap() = default;
  LinearMap(const LinearMap&) = default;
  LinearMap& operator=(const LinearMap&) = default;
};

}  // namespace mlaan
