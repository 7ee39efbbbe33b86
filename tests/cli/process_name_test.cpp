// The program starts itself once more with settings that OpenMP reads at the start.
#include "support/program.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(ProcessName, IsTheProgramsOwnAlsoWhenItHasStartedItself) {
  const std::string command = "exec env -u GOMP_SPINCOUNT -u OMP_WAIT_POLICY " + program() +
                              " bench --model resnet8 -b 2 --repeats 1000 > /dev/null 2>&1";
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

}  // namespace
}  // namespace mlaan::testing
