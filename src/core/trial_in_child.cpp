// Tries in a child process what may crash the process.
#include "core/trial_in_child.h"

#include <mlaan/core/error.h>

#include <ATen/Parallel.h>

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace mlaan {
namespace {

void be_quiet() {
  const int nowhere = open("/dev/null", O_RDWR);
  if (nowhere < 0) return;
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) dup2(nowhere, stream);
}

/// Makes signals, and a time limit, end the process at once, without a core dump.
void die_at_once(unsigned seconds) {
  for (const int signal : {SIGALRM, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGINT, SIGTERM}) {
    std::signal(signal, SIG_DFL);
  }
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const rlimit no_image{0, 0};
  setrlimit(RLIMIT_CORE, &no_image);
  alarm(seconds);
}

[[noreturn]] void run_and_end(const std::function<void()>& action, unsigned seconds) {
  be_quiet();
  die_at_once(seconds);
  try {
    at::set_num_threads(1);  // fork() copies none of the parent's other threads
    action();
  } catch (...) {
    // The action will throw in the parent as well.
  }
  _exit(0);
}

}  // namespace

std::string death_in_child(const std::function<void()>& action, unsigned seconds) {
  const pid_t child = ::fork();
  if (child < 0) return "";
  if (child == 0) run_and_end(action, seconds);
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return "";
  }
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return signal == SIGALRM ? "not finished after " + std::to_string(seconds) + " s"
                             : std::string(strsignal(signal));
  }
  return WEXITSTATUS(status) == 0 ? "" : "exit code " + std::to_string(WEXITSTATUS(status));
}

void try_opening(const std::string& file, const std::function<void()>& open) {
  constexpr unsigned longest = 600;
  const std::string death = death_in_child(open, /*seconds=*/longest);
  if (death.empty()) return;
  throw UserError(file + " is damaged or not a TorchScript file: a process that reads it ends (" +
                  death + ")");
}

}  // namespace mlaan
