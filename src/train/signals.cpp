// Signal handlers: ending a run in good order, or saving a checkpoint, on request.
#include <mlaan/train/signals.h>

#include <array>
#include <csignal>

namespace mlaan {
namespace {

// A signal handler may do no more than set such a flag (SEI CERT C, SIG30-C and SIG31-C).
volatile std::sig_atomic_t stop_signal = 0;
volatile std::sig_atomic_t save_requested = 0;

extern "C" void request_stop(int signal) {
  stop_signal = signal;
}

extern "C" void request_save(int /*signal*/) {
  save_requested = 1;
}

/// A signal, and the action that was installed for it before.
struct Handled {
  int signal;
  struct sigaction before;
};

std::array<Handled, 5> handled{
    {{SIGINT, {}}, {SIGTERM, {}}, {SIGHUP, {}}, {SIGUSR1, {}}, {SIGPIPE, {}}}};

void handle(Handled& item) {
  sigaction(item.signal, nullptr, &item.before);
  if (item.before.sa_handler == SIG_IGN) return;
  struct sigaction action {};
  action.sa_flags = SA_RESTART;
  if (item.signal == SIGPIPE) {
    action.sa_handler = SIG_IGN;
  } else if (item.signal == SIGUSR1) {
    action.sa_handler = request_save;
  } else {
    action.sa_handler = request_stop;
    // The next signal of the same kind has the default action and ends the process. SIGHUP is
    // excepted: when a terminal is closed it comes twice, from the shell and from the system.
    if (item.signal != SIGHUP) action.sa_flags |= static_cast<int>(SA_RESETHAND);
  }
  sigaction(item.signal, &action, nullptr);
}

}  // namespace

StopSignals::StopSignals() {
  stop_signal = 0;
  save_requested = 0;
  for (auto& item : handled) handle(item);
}

StopSignals::~StopSignals() {
  for (const auto& item : handled) sigaction(item.signal, &item.before, nullptr);
}

int StopSignals::received() {
  return stop_signal;
}

bool StopSignals::take_save_request() {
  if (save_requested == 0) return false;
  save_requested = 0;
  return true;
}

}  // namespace mlaan
