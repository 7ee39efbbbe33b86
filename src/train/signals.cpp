// Ending a run in good order when the system or the user asks for it.
#include <mlaan/train/signals.h>

#include <csignal>

namespace mlaan {
namespace {

// A handler may do no more than set such a flag (SEI CERT C, SIG30-C and SIG31-C).
volatile std::sig_atomic_t stop_signal = 0;

extern "C" void request_stop(int signal) {
  stop_signal = signal;
}

void handle(int signal) {
  struct sigaction action {};
  action.sa_handler = request_stop;
  // The next signal of this kind finds the default: it ends the process.
  action.sa_flags = static_cast<int>(SA_RESETHAND) | SA_RESTART;
  sigaction(signal, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() {
  stop_signal = 0;
  handle(SIGINT);
  handle(SIGTERM);
}

StopSignals::~StopSignals() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

int StopSignals::received() {
  return stop_signal;
}

}  // namespace mlaan
