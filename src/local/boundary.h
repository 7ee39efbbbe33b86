// A tensor on its way from one module to the next, and to the nets between them.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <utility>

namespace mlaan {

/// A module's output, detached.
struct Boundary {
  torch::Tensor tensor;  ///< as it is kept
  torch::Dtype dtype{};  ///< that the module gave it in, and that its readers compute with it in
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
