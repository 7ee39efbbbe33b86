// Process-wide settings that make training on the CPU faster.
#pragma once

#include <string>

namespace mlaan {

/// What prepare_process() found.
struct ProcessReport {
  int threads = 0;        ///< number of threads of LibTorch's kernels
  std::string blas;       ///< path of the BLAS library, or "MKL"
  std::string blas_hint;  ///< advice on a slow BLAS library; empty if it is fast
};

/// Number of processors that this process may run on.
int available_processors();

/// The numbers of these processors as text: "0,1,2".
std::string processor_set();

/// Call it in `main`, before the first tensor. It sets the number of LibTorch's threads; makes
/// malloc keep freed memory instead of returning it to the kernel and fetching it again, page by
/// page, in every step; and limits a BLAS library that has a thread pool of its own to one thread,
/// since its pool would compete with LibTorch's.
/// \param threads number of threads; 0: one for each processor that the process may run on.
ProcessReport prepare_process(int threads = 0);

}  // namespace mlaan
