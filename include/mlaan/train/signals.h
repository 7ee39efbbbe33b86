// Ending a run in good order when the system or the user asks for it.
#pragma once

namespace mlaan {

/// While it lives, SIGINT and SIGTERM ask for a stop instead of ending the process; the second
/// signal ends it at once. One at a time.
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
};

}  // namespace mlaan
