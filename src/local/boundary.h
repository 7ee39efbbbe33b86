// A module's detached output, as the next module and the nets read it.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <utility>

namespace mlaan {

/// A module's output, detached.
struct Boundary {
  torch::Tensor tensor;  ///< possibly rounded to a smaller type (EngineOptions::boundaries)
  torch::Dtype dtype{};  ///< of the output before rounding; readers convert the tensor back to it
};

/// A boundary that is freed once its last reader has read it.
class SharedBoundary {
 public:
  /// \param readers how often read() will be called.
  explicit SharedBoundary(std::size_t readers) : readers_(readers) {}

  void write(Boundary boundary) {
    if (readers_ > 0) boundary_ = std::move(boundary);
  }

  /// Each reader calls this once, whether it needs the tensor or not.
  Boundary read() {
    if (--readers_ > 0) return boundary_;
    return std::exchange(boundary_, Boundary());
  }

 private:
  std::size_t readers_;
  Boundary boundary_;
};

}  // namespace mlaan
