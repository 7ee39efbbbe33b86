// Counts multiply-adds.
#pragma once

#include <cstdint>

namespace mlaan::measure {

/// Counts, from its construction on, the multiply-adds of every convolution and matrix product that
/// LibTorch executes in this process, forward and backward. Products whose result autograd does not
/// ask for are not executed and so not counted. Counters may overlap; do not run unrelated work in
/// other threads meanwhile.
///
/// A convolution counts by its definition, whatever algorithm computes it: LibTorch's libraries
/// choose theirs unseen, and the few of mlaan's own that take fewer products, or more, say what
/// they stand for.
class MultiplyAddCounter {
 public:
  MultiplyAddCounter();
  ~MultiplyAddCounter();
  MultiplyAddCounter(const MultiplyAddCounter&) = delete;
  MultiplyAddCounter& operator=(const MultiplyAddCounter&) = delete;

  /// Multiply-adds since construction, as operators are defined.
  std::int64_t count() const;
  /// Those of the convolutions and matrix products that were called in their place.
  std::int64_t executed() const;

 private:
  std::uint64_t callback_;
  std::int64_t start_;
  std::int64_t executed_start_;
};

}  // namespace mlaan::measure
