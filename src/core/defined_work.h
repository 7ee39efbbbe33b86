// Reports the multiply-adds by which an operator is defined, where other code computes it.
#pragma once

#include <ATen/core/ivalue.h>
#include <ATen/record_function.h>

#include <cstdint>

namespace mlaan {

/// An RAII guard: what this process executes during its lifetime counts as one operator that is
/// defined by another number of multiply-adds, such as a convolution that is factored. LibTorch's
/// observers (at::RecordFunction) see a function of this name, whose input is that number.
class DefinedWork {
 public:
  static constexpr const char* name = "mlaan::defined_work";

  explicit DefinedWork(std::int64_t multiply_adds) : input_(multiply_adds) {
    if (observed_.isActive()) observed_.before(name, c10::ArrayRef<const c10::IValue>(input_));
  }

 private:
  c10::IValue input_;  ///< must outlive the observers' view of it
  at::RecordFunction observed_;
};

}  // namespace mlaan
