// Opens standard streams that are closed when the program starts.
#pragma once

namespace mlaan::cli {

/// To be called in `main` before any file is opened: opens stdin, stdout and stderr if the program
/// was started without them. Otherwise the next opened file would get the descriptor of one of
/// them, and receive what is printed. Writing to such a stdout still fails.
void open_missing_streams();

}  // namespace mlaan::cli
