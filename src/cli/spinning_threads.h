// How long threads that wait for others spin.
#pragma once

namespace mlaan::cli {

/// To be called before anything else. Threads of GNU's OpenMP library that wait for
/// others spin for long, and so keep the processors from the very threads that they wait for when
/// other programs run too: a training step then takes twice as long. How long they spin is read
/// before `main`, so this starts the program again, in the same process, with a shorter spin. Does
/// nothing where OMP_WAIT_POLICY or GOMP_SPINCOUNT is set already, so also the second time, nor
/// where threads are to be bound to processors (OMP_PROC_BIND, OMP_PLACES, GOMP_CPU_AFFINITY).
/// \param arguments of `main`, ending with a null pointer.
void limit_spinning(char** arguments);

}  // namespace mlaan::cli
