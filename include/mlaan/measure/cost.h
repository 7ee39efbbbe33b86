// Counts the multiply-adds that LibTorch executes.
#pragma once

#include <cstdint>

namespace mlaan::measure {

/// Counts, from its construction on, the multiply-adds of every convolution and matrix product that
/// LibTorch executes in this process, forward and backward. Products whose result autograd does not
/// ask for are not executed and so not counted. Counters may overlap; do not run unrelated work in
/// other threads meanwhile.
class MultiplyAddCounter {
 public:
  MultiplyAddCounter();
  ~MultiplyAddCounter();
  MultiplyAddCounter(const MultiplyAddCounter&) = delete;
  MultiplyAddCounter& operator=(const MultiplyAddCounter&) = delete;

  /// Multiply-adds since construction.
  std::int64_t count() const;

 private:
  std::uint64_t callback_;
  std::int64_t start_;
};

}  // namespace mlaan::measure
