// Settings of the whole process that training on the CPU is faster with.
#pragma once

#include <string>

namespace mlaan {

/// What prepare_process() found.
struct ProcessReport {
  int threads = 0;        ///< that LibTorch's kernels use
  std::string blas;       ///< file of the BLAS library, or "MKL"
  std::string blas_hint;  ///< what to do about a slow one; empty where there is nothing to do
};

/// Number of processors that this process may run on.
int available_processors();

/// Which processors of the machine those are, as a text that can be compared.
std::string processor_set();

/// Call it in `main`, before the first tensor. It sets the number of LibTorch's threads; lets the C
/// library keep freed memory instead of giving it back and fetching it, page by page, in every
/// step; and keeps a BLAS that would start threads of its own, beside LibTorch's, to one.
/// \param threads 0 for every processor that the process may run on.
ProcessReport prepare_process(int threads = 0);

}  // namespace mlaan
