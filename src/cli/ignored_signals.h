// Signals that whoever started the program has it ignore.
#pragma once

namespace mlaan::cli {

/// Ignores the signals again that the process was started to ignore, as by `nohup`. Libraries may
/// have replaced that as they were loaded: UCX, which comes with some packages of LibTorch, handles
/// SIGHUP.
void ignore_signals_as_started();

}  // namespace mlaan::cli
