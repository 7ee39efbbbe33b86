// What an operator's definition calls for, where it is computed with fewer or more products.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <cstdint>

namespace mlaan {

/// While it lives, what this process executes stands for an operator that is defined with another
/// number of multiply-adds, such as a convolution that is factored. LibTorch's observers
/// (at::RecordFunction) see it as a function of this name, whose input is that number.
class DefinedWork {
 public:
  static constexpr const char* name = "mlaan::defined_work";

  explicit DefinedWork(std::int64_t multiply_adds) : input_(multiply_adds) {
    if (observed_.isActive()) observed_.before(name, c10::ArrayRef<const c10::IValue>(input_));
  }

 private:
  c10::IValue input_;  ///< outlives what observers are shown
  at::RecordFunction observed_;
};

}  // namespace mlaan
