// Settings that come from a pipe, `-c <(…)` in a shell: what is read there is gone.
#include "support/program.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>

#include <string>

namespace mlaan::testing {
namespace {

/// Runs the program with settings that its standard input gives once.
ProgramResult run_with_piped_settings(const std::string& arguments) {
  const std::string settings =
      "printf 'model = \"resnet8\"\\nbatch_size = 8\\nthreads = 1\\nworkers = 0\\n"
      "[procedural]\\ntrain_size = 24\\ntest_size = 9\\nside = 16\\n"
      "[validation]\\nfraction = 0.25\\n[engine]\\nmemory_format = \"channels_last\"\\n'";
  return run_shell(settings + " | " + program() + " " + arguments + " -c /dev/stdin");
}

void expect_used(const std::string& arguments, const std::string& sign) {
  const ProgramResult result = run_with_piped_settings(arguments);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_NE(result.output.find(sign), std::string::npos)
      << "no \"" << sign << "\" in: " << result.output;
}

TEST(ConfigFromAPipe, IsUsedByEveryCommand) {
  const TemporaryFolder folder;
  const auto output = [&](const std::string& name) {
    return " --output " + (folder / name).string();
  };
  expect_used("train --method e2e --epochs 1" + output("train"), "e2e of resnet8");
  expect_used("compare --methods dgl:modules=2 --epochs 1" + output("compare"), "dgl of resnet8");
  // Of resnet8, three blocks make as many modules.
  expect_used("bench --methods e2e --repeats 1 --warmup 0", " 3       3 ");
  expect_used("eval " + (folder / "train").string() + output("eval"), " 9 ");
  expect_used("info --method dgl --modules 2", "resnet8");
}

void expect_pipe_refused(const std::string& arguments) {
  const ProgramResult result = run_with_piped_settings(arguments);
  EXPECT_EQ(result.exit_code, 2) << result.output;
  EXPECT_NE(result.output.find("/dev/stdin is a pipe"), std::string::npos) << result.output;
}

// The ranks would find the pipe empty, and train by the defaults.
TEST(ConfigFromAPipe, IsRefusedWhereOtherProcessesWouldReadIt) {
  const TemporaryFolder folder;
  const std::string output = " --output " + (folder / "run").string();
  expect_pipe_refused("train --method e2e --processes 2 --max-steps 1" + output);
  expect_pipe_refused("train --method dgl --stages 2 --max-steps 1" + output);
  expect_pipe_refused("compare --methods e2e --processes 2 --epochs 1" + output);
  expect_pipe_refused("bench --methods e2e --processes 2 --repeats 1 --warmup 0");
}

}  // namespace
}  // namespace mlaan::testing
