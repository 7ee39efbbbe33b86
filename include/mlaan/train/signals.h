// Ending a run in good order, or saving it, when the system or the user asks for it.
#pragma once

namespace mlaan {

/// While it lives, SIGINT, SIGTERM and SIGHUP ask for a stop instead of ending the process - a
/// second SIGINT or SIGTERM ends it at once - and SIGUSR1 asks for a checkpoint. Of these, what the
/// process was told to ignore when it started (by `nohup`, for example) stays ignored. SIGPIPE is
/// ignored, so that progress may go to a program that has ended. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  /// The signal that asked for a stop; 0 if none did.
  static int received();
  /// Whether one did.
  static bool requested() { return received() != 0; }
  /// The exit code of a program that a signal has stopped, as shells count: 128 + signal.
  static int exit_code(int signal = received()) { return 128 + signal; }
  /// Whether a checkpoint was asked for since this was last asked.
  static bool take_save_request();
};

}  // namespace mlaan
