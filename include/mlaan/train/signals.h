// Signal handlers: ending a run in good order, or saving a checkpoint, on request.
#pragma once

namespace mlaan {

/// RAII guard of signal handlers. While it exists, SIGINT, SIGTERM and SIGHUP request a stop
/// instead of ending the process - a second SIGINT or SIGTERM ends it at once - and SIGUSR1
/// requests a checkpoint. Signals that the process ignored when it started (by `nohup`, for
/// example) stay ignored. SIGPIPE is ignored, so that progress may be written to a program that has
/// ended. Only one may exist at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that requested a stop; 0 if none did.
  static int received();
  /// Whether a stop was requested.
  static bool requested() { return received() != 0; }
  /// The exit code of a program that a signal has stopped, by the convention of shells: 128 +
  /// signal.
  static int exit_code(int signal = received()) { return 128 + signal; }
  /// Whether a checkpoint was requested since the last call.
  static bool take_save_request();
};

}  // namespace mlaan
