// Runs and comparisons that a signal ends: what is saved, and that they go on to the same weights.
#include "support/cli.h"
#include "support/interrupted_program.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>
#include <utility>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

/// Starts a training in the background, lets it run for some steps of its second epoch, and sends a
/// signal. The run has long epochs, so that the signal falls into one.
class Killed : public Cli {
 protected:
  const std::string settings =
      " --model resnet8 --epochs 3 -b 8 --set procedural.train_size=400 "
      "--set procedural.test_size=20 --set validation.fraction=0.1 --set log.steps=1 "
      "--set engine.memory_format=channels_last -q ";

  /// \return the exit code; −1 if the signal ended it.
  int interrupt(const std::string& name, int signal) const {
    return interrupt("train --method mlaan" + settings + "--output " + quoted(folder / name),
                     folder / name, signal);
  }

  /// \param run_folder where the signal waits for the second epoch.
  int interrupt(const std::string& arguments, const fs::path& run_folder, int signal) const {
    return interrupt_program(arguments, folder / "output", run_folder, {2, 7}, signal);
  }
};

TEST_F(Killed, ARunGoesOnToTheSameWeights) {
  ASSERT_EQ(
      run_program("train --method mlaan" + settings + "--output " + (folder / "whole").string())
          .exit_code,
      0);

  EXPECT_EQ(interrupt("killed", SIGKILL), -1);
  ASSERT_EQ(run_program("train --resume -q --output " + (folder / "killed").string()).exit_code, 0);
  expect_same_weights(folder / "killed", folder / "whole");

  EXPECT_EQ(interrupt("terminated", SIGTERM), 128 + SIGTERM) << "it saves and ends in good order";
  ASSERT_EQ(run_program("train --resume " + (folder / "terminated").string() + " -q").exit_code, 0);
  expect_same_weights(folder / "terminated", folder / "whole");
  EXPECT_EQ(summary("terminated")["test_error"], summary("whole")["test_error"]);
}

TEST_F(Killed, AHungUpRunIsSavedAndAnIgnoredSignalIgnored) {
  EXPECT_EQ(interrupt("hung up", SIGHUP), 128 + SIGHUP);
  const std::string output = read_text(folder / "output");
  const std::string advice = "mlaan train --resume '" + (folder / "hung up").string() + "'";
  EXPECT_TRUE(contains(output, advice)) << output;
  EXPECT_TRUE(fs::exists(folder / "hung up/checkpoints/last.safetensors"));

  const std::string train = "train --method e2e" + settings + "--output ";
  const auto run = [&](const std::string& before, const std::string& name, int signal) {
    const std::string line = "exec " + before + program() + " " + train + (folder / name).string() +
                             " > " + (folder / "output").string() + " 2>&1";
    return interrupt_shell(line, folder / name, {2, 7}, signal);
  };
  EXPECT_EQ(run("nohup ", "nohup", SIGHUP), 0) << read_text(folder / "output");
  EXPECT_EQ(summary("nohup")["complete"], true);
}

TEST_F(Killed, ARunSavesWhenAskedAndGoesOn) {
  const std::string arguments = "train --method e2e --set save.every=3e" + settings + "--output " +
                                (folder / "asked").string();
  EXPECT_EQ(interrupt(arguments, folder / "asked", SIGUSR1), 0);
  EXPECT_EQ(summary("asked")["complete"], true);
}

TEST_F(Killed, AComparisonGoesOnWithWhatIsNotTrained) {
  const auto command = [&](const std::string& name) {
    return "compare --methods e2e,dgl" + settings + "--output " + (folder / name).string();
  };
  ASSERT_EQ(run_program(command("whole")).exit_code, 0);

  EXPECT_EQ(interrupt(command("stopped"), folder / "stopped/dgl-seed0", SIGINT), 128 + SIGINT);
  const std::string output = read_text(folder / "output");
  EXPECT_TRUE(contains(output, "1 of 2 runs finished; go on with the same command")) << output;
  const json stopped = json::parse(read_text(folder / "stopped/comparison.json"));
  EXPECT_EQ(stopped["complete"], false);
  EXPECT_EQ(stopped["runs"].size(), 1U);
  const std::string finished = read_text(folder / "stopped/e2e-seed0/summary.json");

  ASSERT_EQ(run_program(command("stopped")).exit_code, 0);
  EXPECT_EQ(read_text(folder / "stopped/e2e-seed0/summary.json"), finished);
  expect_same_weights(folder / "stopped/dgl-seed0", folder / "whole/dgl-seed0");
  const auto results = [&](const std::string& name) {
    const json document = json::parse(read_text(folder / name / "comparison.json"));
    return std::make_pair(document["methods"][1]["test_error"],
                          document["methods"][1]["validation_difference"]);
  };
  EXPECT_EQ(results("stopped"), results("whole"));
}

}  // namespace
}  // namespace mlaan::testing
