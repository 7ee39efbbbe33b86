// Opens standard streams that are closed when the program starts.
#include "cli/standard_streams.h"

#include <fcntl.h>
#include <unistd.h>

namespace mlaan::cli {

void open_missing_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (fcntl(stream, F_GETFD) != -1) continue;
    // open() returns the lowest free descriptor, which is this one. The mode lets any use of it
    // fail.
    const int mode = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
    if (open("/dev/null", mode) != stream) return;
  }
}

}  // namespace mlaan::cli
