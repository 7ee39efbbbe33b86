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

/// For a program's `main`, before anything else. Threads of GNU's OpenMP library that wait for
/// others spin for long, and so keep the processors from the very threads that they wait for when
/// other programs run too: a training step then takes twice as long. How long they spin is read
/// before `main`, so this starts the program again, in the same process, with a shorter spin. Does
/// nothing where OMP_WAIT_POLICY or GOMP_SPINCOUNT is set already, so also the second time, nor
/// where threads are to be bound to processors (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY).
/// \param arguments of `main`, ending with a null pointer.
void limit_spinning(char** arguments);

}  // namespace mlaan
