// The program starts itself once more with settings that OpenMP reads at the start.
#include "support/program.h"

#include <mlaan/core/process.h>
#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <system_error>
#include <thread>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(ProcessName, IsTheProgramsOwnAlsoWhenItHasStartedItself) {
  const std::string command =
      "exec env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY -u OMP_PROC_BIND -u OMP_PLACES "
      "-u GOMP_CPU_AFFINITY " +
      program() + " bench --model resnet8 -b 2 --repeats 1000 > /dev/null 2>&1";
  const pid_t child = start_in_background(command);
  const fs::path process = "/proc/" + std::to_string(child);
  // The command line first: the shell has the variable in its environment too.
  const auto has_started_itself = [&] {
    const std::string arguments = read_text(process / "cmdline");
    return arguments.find("bench") != std::string::npos &&
           arguments.find("GOMP_SPINCOUNT") == std::string::npos &&
           read_text(process / "environ").find("GOMP_SPINCOUNT=") != std::string::npos;
  };
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (std::chrono::steady_clock::now() < deadline && !has_started_itself()) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  const bool started = has_started_itself();
  const std::string name = read_text(process / "comm");
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  ASSERT_TRUE(started);
  EXPECT_EQ(name, fs::path(program()).filename().string() + "\n");
}

/// The processors that each of a process's threads may run on, as the kernel writes them.
std::set<std::string> processors_of_threads(pid_t process) {
  std::set<std::string> found;
  std::error_code gone;
  for (const auto& thread :
       fs::directory_iterator("/proc/" + std::to_string(process) + "/task", gone)) {
    std::ifstream status(thread.path() / "status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("Cpus_allowed_list:", 0) == 0) found.insert(line);
    }
  }
  return found;
}

TEST(BoundThreads, DoNotShareAProcessor) {
  if (available_processors() < 2) GTEST_SKIP() << "there is one processor alone";
  if (!fs::exists("/sys/devices/system/cpu")) {
    GTEST_SKIP() << "OpenMP reads the processors' places in /sys, which is not mounted";
  }
  const pid_t child =
      start_in_background("exec env -u GOMP_SPINCOUNT OMP_PROC_BIND=true " + program() +
                          " bench --model resnet8 -b 64 --repeats 1000 > /dev/null 2>&1");
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  std::set<std::string> processors;
  while (std::chrono::steady_clock::now() < deadline && processors.size() < 2) {
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    processors = processors_of_threads(child);
  }
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_GE(processors.size(), 2U);
}

}  // namespace
}  // namespace mlaan::testing
