// Starts copies of this program as the ranks of a training, and watches them.
#include "dist/launcher.h"

#include "measure/timing.h"

#include <mlaan/core/error.h>
#include <mlaan/dist/process_group.h>

#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

extern char** environ;

namespace mlaan {
namespace {

constexpr const char* launcher_variable = "MLAAN_LAUNCHER";
/// Time for the other ranks to find out which rank is lost, and to report it.
constexpr std::chrono::seconds grace(6);
constexpr std::array<int, 4> passed_on{SIGINT, SIGTERM, SIGHUP, SIGUSR1};

std::vector<std::string> own_arguments() {
  std::ifstream file("/proc/self/cmdline", std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  std::vector<std::string> arguments;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\0', begin), text.size());
    arguments.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return arguments;
}

bool is_pipe(const std::string& path) {
  std::error_code unreadable;
  const auto status = std::filesystem::status(path, unreadable);
  return std::filesystem::is_fifo(status) || std::filesystem::is_socket(status);
}

/// Ranks read the files of their arguments anew, and what this process has read from a pipe is
/// gone: they would find it empty.
/// \throws UserError naming an argument that is a pipe, by itself or behind its flag.
void refuse_piped_arguments() {
  const auto arguments = own_arguments();
  for (std::size_t i = 1; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    const bool is_short_flag = argument.size() > 2 && argument[0] == '-' && argument[1] != '-';
    const auto equals = argument.rfind('=');
    const std::string path = equals != std::string::npos ? argument.substr(equals + 1)
                             : is_short_flag             ? argument.substr(2)
                                                         : argument;
    if (!is_pipe(path)) continue;
    throw UserError(path +
                    " is a pipe, which can be read only once, and each of several processes "
                    "has to read it; write what it gives to a file, and name that file");
  }
}

std::vector<std::string> environment_of_rank(int rank, int size, std::uint16_t port) {
  const std::vector<std::string> own{
      "RANK=" + std::to_string(rank),
      "LOCAL_RANK=" + std::to_string(rank),
      "WORLD_SIZE=" + std::to_string(size),
      "LOCAL_WORLD_SIZE=" + std::to_string(size),
      "MASTER_ADDR=127.0.0.1",
      "MASTER_PORT=" + std::to_string(port),
      "TORCHELASTIC_USE_AGENT_STORE=True",
      std::string(launcher_variable) + "=" + std::to_string(getpid())};
  std::vector<std::string> all = own;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const auto name_end = text.find('=') + 1;
    const bool is_own = std::any_of(own.begin(), own.end(), [&](const auto& one) {
      return one.compare(0, name_end, text, 0, name_end) == 0;
    });
    if (!is_own) all.push_back(text);
  }
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (auto& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

/// RAII guard that blocks signals, so that they wait for this thread instead of ending the process.
class HeldSignals {
 public:
  HeldSignals() {
    sigemptyset(&held_);
    for (const int signal : passed_on) sigaddset(&held_, signal);
    sigaddset(&held_, SIGCHLD);
    pthread_sigmask(SIG_BLOCK, &held_, &before_);
  }
  ~HeldSignals() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  HeldSignals(const HeldSignals&) = delete;
  HeldSignals& operator=(const HeldSignals&) = delete;

  const sigset_t& before() const { return before_; }

  /// The next signal; 0 if none arrives in time.
  int wait(std::chrono::milliseconds time) const {
    const timespec limit{time.count() / 1000, (time.count() % 1000) * 1000000};
    return std::max(0, sigtimedwait(&held_, nullptr, &limit));
  }

 private:
  sigset_t held_{};
  sigset_t before_{};
};

pid_t start_rank(int rank, int size, std::uint16_t port, const sigset_t& mask) {
  auto arguments = own_arguments();
  auto environment = environment_of_rank(rank, size, port);
  std::error_code unreadable;
  const auto own_path = std::filesystem::read_symlink("/proc/self/exe", unreadable);
  const std::string program = unreadable ? "/proc/self/exe" : own_path.string();
  posix_spawnattr_t attributes{};
  posix_spawnattr_init(&attributes);
  // A process group of its own: a terminal's signals, which go to a whole group, reach the rank
  // through the launcher alone, once.
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setsigmask(&attributes, &mask);
  pid_t child = 0;
  const int failure = posix_spawn(&child, program.c_str(), nullptr, &attributes,
                                  pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  if (failure != 0) {
    throw Error("rank " + std::to_string(rank) + " cannot be started: " + std::strerror(failure));
  }
  return child;
}

/// The processes that were started; the destructor kills those that still run.
class Ranks {
 public:
  Ranks() = default;
  ~Ranks() {
    send(SIGKILL);
    for (const pid_t child : running_) {
      if (child != 0) waitpid(child, nullptr, 0);
    }
  }
  Ranks(const Ranks&) = delete;
  Ranks& operator=(const Ranks&) = delete;

  void add(pid_t child) { running_.push_back(child); }

  void send(int signal) const {
    for (const pid_t child : running_) {
      if (child != 0) kill(child, signal);
    }
  }

  bool any_runs() const {
    return std::any_of(running_.begin(), running_.end(), [](pid_t child) { return child != 0; });
  }

  /// Notes which ranks have ended, and the exit code of the first that failed.
  void reap() {
    for (std::size_t r = 0; r < running_.size(); ++r) {
      int status = 0;
      if (running_[r] == 0 || waitpid(running_[r], &status, WNOHANG) != running_[r]) continue;
      running_[r] = 0;
      if (WIFSIGNALED(status)) tell_of_signal(r, WTERMSIG(status));
      const int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
      if (code == 0 || failed_at_) continue;
      code_ = code;
      failed_at_ = Clock::now();
    }
  }

  bool is_over_time() const { return failed_at_ && Clock::now() - *failed_at_ > grace; }
  int code() const { return code_; }

 private:
  void tell_of_signal(std::size_t rank, int signal) const {
    if (is_over_time()) return;  // the launcher itself has killed it
    std::fprintf(stderr, "mlaan: rank %zu was ended by signal %d (%s)\n", rank, signal,
                 strsignal(signal));
  }

  std::vector<pid_t> running_;  ///< 0: has ended
  std::optional<Clock::time_point> failed_at_;
  int code_ = 0;
};

}  // namespace

int launch_ranks(int processes) {
  refuse_piped_arguments();
  const HeldSignals signals;  // before the server's threads start, which inherit the mask
  const RendezvousServer server;
  Ranks ranks;
  for (int r = 0; r < processes; ++r) {
    ranks.add(start_rank(r, processes, server.port(), signals.before()));
  }
  while (ranks.any_runs()) {
    const int signal = signals.wait(std::chrono::milliseconds(500));
    if (signal != 0 && signal != SIGCHLD) ranks.send(signal);
    ranks.reap();
    if (ranks.is_over_time()) ranks.send(SIGKILL);
  }
  return ranks.code();
}

bool is_launched() {
  return std::getenv(launcher_variable) != nullptr;
}

void stop_with_launcher() {
  const char* launcher = std::getenv(launcher_variable);
  if (launcher == nullptr) return;
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != std::atoi(launcher)) raise(SIGTERM);  // the launcher ended before prctl()
}

}  // namespace mlaan
