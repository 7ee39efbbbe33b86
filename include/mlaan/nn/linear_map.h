// Layers that are linear in what they read.
#pragma once

#include <torch/types.h>

#include <functional>

namespace mlaan {

/// A layer without parameters, random draws or state that averages what it reads. Where an
/// auxiliary net begins with one, the engine keeps the small gradient behind it, and brings it to
/// the module's output as often as it is needed there. Derive a `torch::nn` module from it as well.
class LinearMap {
 public:
  /// Cuts the same part out of any tensor of the input's shape, as a view.
  using Part = std::function<torch::Tensor(const torch::Tensor& input_sized)>;
  /// Does something with the values, which broadcast to the part's shape, and the part of the
  /// input's gradient that they are.
  using Put = std::function<void(const torch::Tensor& values, const Part& part)>;

  virtual ~LinearMap() = default;
  /// From the gradient of the output, times a factor, what each position of the input that a number
  /// of the output is made of gets of it: as many numbers as the output has, in new memory.
  virtual torch::Tensor shares(const torch::Tensor& gradient, double factor) const = 0;
  /// The gradient of the input, as autograd would find it, from the shares of its positions: part
  /// by part, until every position was in one part.
  virtual void send_back(const torch::Tensor& shares, const Put& put) const = 0;

 protected:
  LinearMap() = default;
  LinearMap(const LinearMap&) = default;
  LinearMap& operator=(const LinearMap&) = default;
};

}  // namespace mlaan
