// Limits how long waiting OpenMP threads spin.
#pragma once

namespace mlaan::cli {

/// To be called before anything else. Waiting threads of GNU's OpenMP library spin for long; when
/// other programs run too, they keep processors from the threads that they wait for, and a training
/// step takes twice as long. The library reads its spin count before `main`, so this function
/// restarts the program in the same process with a lower one. Does nothing if OMP_WAIT_POLICY or
/// GOMP_SPINCOUNT is set, which includes the second start, or if threads are to be bound to
/// processors (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY).
/// \param arguments of `main`, ending with a null pointer.
void limit_spinning(char** arguments);

}  // namespace mlaan::cli
