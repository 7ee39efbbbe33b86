// Limits how long waiting OpenMP threads spin.
#include "cli/spinning_threads.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

namespace mlaan::cli {

void limit_spinning(char** arguments) {
  // With binding, this thread is already bound to one processor, and the restarted program would
  // find only that one.
  for (const char* variable :
       {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "OMP_PROC_BIND", "OMP_PLACES", "GOMP_CPU_AFFINITY"}) {
    if (std::getenv(variable) != nullptr) return;
  }
  // On an idle machine this is no slower than the default of 300,000.
  setenv("GOMP_SPINCOUNT", "10000", /*overwrite=*/0);
  // Started by its path, so that the process keeps its name; by the link if the file is gone.
  std::error_code unreadable;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  if (!unreadable) execv(program.c_str(), arguments);
  execv("/proc/self/exe", arguments);
  // If execv() fails, training continues with the default.
}

}  // namespace mlaan::cli
