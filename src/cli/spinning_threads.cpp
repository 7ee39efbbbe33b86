// How long threads that wait for others spin.
#include "cli/spinning_threads.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace mlaan::cli {

void limit_spinning(char** arguments) {
  // Bound to one processor as this thread is where binding is asked for, it would be the only one
  // that the program finds when it starts again.
  for (const char* variable :
       {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
    if (std::getenv(variable) != nullptr) return;
  }
  // On an idle machine no slower than the default of 300,000.
  setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
  // By its path, so that the process keeps its name among others; where that is gone, by the link.
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  if (!unreadable) execv(program.c_str(), arguments);
  execv("/proc/self/exe", arguments);
  // Where that cannot be done, training goes on as it would have.
}

}  // namespace mlaan::cli
