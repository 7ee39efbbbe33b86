// Counts the multiply-adds of convolutions and matrix products.
#pragma once

#include <cstdint>

namespace mlaan::measure {

/// Counts, from its construction on, the multiply-adds of every convolution and matrix product that
/// LibTorch executes in this process, forward and backward. Gradients that autograd does not need
/// are not computed, so they are not counted. Several counters may exist at once. Work of other
/// threads is counted too, so do not run unrelated work meanwhile.
///
/// count() takes a convolution by its definition, whatever algorithm computes it: LibTorch's
/// libraries do not show which algorithm they choose, and mlaan's own kernels that take fewer or
/// more multiply-adds report those of the operator that they replace.
class MultiplyAddCounter {
 public:
  MultiplyAddCounter();
  ~MultiplyAddCounter();
  MultiplyAddCounter(const MultiplyAddCounter&) = delete;
  MultiplyAddCounter& operator=(const MultiplyAddCounter&) = delete;

  /// Multiply-adds since construction, by the definition of the operators.
  std::int64_t count() const;
  /// Multiply-adds since construction of the convolutions and matrix products that were called,
  /// those within mlaan's own kernels included.
  std::int64_t executed() const;

 private:
  std::uint64_t callback_;
  std::int64_t start_;
  std::int64_t executed_start_;
};

}  // namespace mlaan::measure
