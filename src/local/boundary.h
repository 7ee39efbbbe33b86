// A tensor on its way from one module to the next, and to the nets between them.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <utility>

namespace mlaan {

/// A module's output, detached.
struct Boundary {
  torch::Tensor tensor;  ///< possibly rounded to a smaller type (EngineOptions::boundaries)
  torch::Dtype dtype{};  ///< of the output before that; its readers convert back to it
};

/// A boundary that is freed when its last reader has taken it.
class SharedBoundary {
 public:
  /// \param readers that will come.
  explicit SharedBoundary(std::size_t readers) : readers_(readers) {}

  void write(Boundary boundary) {
    if (readers_ > 0) boundary_ = std::move(boundary);
  }

  /// To be called once by each reader, whether it needs the tensor or not.
  Boundary read() {
    if (--readers_ > 0) return boundary_;
    return std::exchange(boundary_, Boundary());
  }

 private:
  std::size_t readers_;
  Boundary boundary_;
};

}  // namespace mlaan
