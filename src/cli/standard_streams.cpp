// The streams that a program begins with.
#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace mlaan::cli {

void open_missing_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    // The lowest number that is free, which is this one. Errors when printing are to be noticed.
    const int mode = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (open("/dev/null", mode) != stream) return;
  }
}

}  // namespace mlaan::cli
