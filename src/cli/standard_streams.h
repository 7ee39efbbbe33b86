// The streams that a program begins with.
#pragma once

namespace mlaan::cli {

/// For `main`, before any file is opened: gives stdin, stdout and stderr something to be where the
/// program was started without them. Otherwise the next file that it opens would take the place of
/// one, and get what is printed. What is then written to stdout still fails.
void open_missing_streams();

}  // namespace mlaan::cli
