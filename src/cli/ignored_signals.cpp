// Signals that whoever started the program has it ignore.
#include "cli/ignored_signals.h"

#include <signal.h>

#include <array>
#include <cstddef>

namespace mlaan::cli {
namespace {

constexpr std::array<int, 6> noted_signals{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGPIPE};

std::array<bool, noted_signals.size()> was_ignored{};

void note_ignored_signals() {
  for (std::size_t i = 0; i < noted_signals.size(); ++i) {
    struct sigaction action {};
    sigaction(noted_signals[i], nullptr, &action);
    was_ignored[i] = action.sa_handler == SIG_IGN;
  }
}

/// The loader calls these before the constructors of shared libraries.
[[gnu::used, gnu::section(".preinit_array")]] void (*const before_libraries)() =
    note_ignored_signals;

}  // namespace

void ignore_signals_as_started() {
  for (std::size_t i = 0; i < noted_signals.size(); ++i) {
    if (was_ignored[i]) signal(noted_signals[i], SIG_IGN);
  }
}

}  // namespace mlaan::cli
