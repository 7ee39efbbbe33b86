// Runs that go on: which one, in which folder, with which settings.
#include "support/interrupted_program.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <torch/script.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

const std::string quick =
    " --model resnet8 --method e2e -b 8 --threads 1 --set procedural.train_size=50 "
    "--set procedural.test_size=20 --set validation.fraction=0.2 "
    "--set engine.memory_format=channels_last -q ";

class Resume : public ::testing::Test {
 protected:
  std::string path(const std::string& name) const { return (folder / name).string(); }

  /// Runs within the temporary folder, for what lies in runs/.
  ProgramResult run_inside(const std::string& arguments) const {
    const auto before = fs::current_path();
    fs::current_path(folder.path());
    ProgramResult result = run_program(arguments);
    fs::current_path(before);
    return result;
  }

  void expect_refused(const std::string& arguments, const std::vector<std::string>& parts) const {
    const ProgramResult result = run_inside(arguments);
    EXPECT_EQ(result.exit_code, 2) << arguments << "\n" << result.output;
    for (const auto& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos)
          << "no \"" << part << "\" in: " << result.output;
    }
  }

  std::int64_t epochs_of(const std::string& run) const {
    const std::string text = read_text(folder / run / "metrics.csv");
    return std::count(text.begin(), text.end(), '\n') - 1;
  }

  TemporaryFolder folder;
};

TEST_F(Resume, WithoutAPathTakesTheNewestRunOfTheseSettings) {
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --lr 0.1").exit_code, 0);
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --lr 0.1").exit_code, 0);
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --lr 0.01").exit_code, 0);
  const auto result = run_inside("train" + quick + "--epochs 2 --lr 0.1 --resume");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(epochs_of("runs/procedural-resnet8-e2e"), 1);
  EXPECT_EQ(epochs_of("runs/procedural-resnet8-e2e-2"), 2);
  EXPECT_EQ(epochs_of("runs/procedural-resnet8-e2e-3"), 1);
  expect_refused("train" + quick + "--epochs 2 --lr 0.2 --resume",
                 {"no run was begun with these settings", "e2e-3", "lr = 0.01", "0.2"});
}

TEST_F(Resume, InAFolderOfItsOwnLeavesBothRunsAlone) {
  ASSERT_EQ(run_inside("train" + quick + "--epochs 2 --output whole").exit_code, 0);
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --output a").exit_code, 0);
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --seed 1 --output b").exit_code, 0);
  const std::string a = read_text(folder / "a/checkpoints/last.safetensors");
  const std::string b = read_text(folder / "b/checkpoints/last.safetensors");
  expect_refused("train -q --resume a --output b --epochs 2", {"b holds a different run"});
  EXPECT_EQ(read_text(folder / "b/checkpoints/last.safetensors"), b);

  const auto result =
      run_inside("train -q --resume a --output c --epochs 2 --set validation.report=best");
  ASSERT_EQ(result.exit_code, 0) << result.output;
  EXPECT_EQ(read_text(folder / "a/checkpoints/last.safetensors"), a);
  EXPECT_EQ(epochs_of("c"), 2) << "with the log of the first epoch";
  EXPECT_TRUE(fs::exists(folder / "c/checkpoints/best.safetensors"));
  EXPECT_EQ(run_inside("eval a --output c").exit_code, 2) << "its summary would be lost";
}

TEST_F(Resume, AnotherSplitIsRefusedUnlessAskedFor) {
  ASSERT_EQ(run_inside("train" + quick + "--epochs 1 --output run").exit_code, 0);
  const std::string resume = "train -q --resume run --epochs 2 ";
  expect_refused(resume + "--seed 7", {"seed = 7", "0", "--allow-other-split"});
  expect_refused(resume + "--set validation.fraction=0.3", {"validation.fraction = 0.3"});
  expect_refused(resume + "--set procedural.train_size=60", {"procedural.train_size = 60"});
  EXPECT_EQ(run_inside(resume + "--seed 7 --allow-other-split").exit_code, 0);
}

TEST_F(Resume, AFolderIsOneProcesssAtATime) {
  const std::string train = "train" + quick + "--epochs 400 --set log.steps=1 --output run";
  const std::string command = "exec " + program() + " train" + quick +
                              "--epochs 400 --set log.steps=1 --output " + path("run") + " > " +
                              path("output") + " 2>&1";
  const pid_t child = start_in_background(command);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(3);
  while (std::chrono::steady_clock::now() < deadline && !has_reached(folder / "run", {2, 1})) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  expect_refused(train, {"is being written to by process " + std::to_string(child)});
  expect_refused("train -q --resume run", {"is being written to by"});
  // Half-written files of a process that is killed.
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  std::ofstream(folder / "run/checkpoints/last.safetensors.77.part") << "half";
  std::ofstream(folder / "run/config.toml.77.part") << "half";
  const auto result = run_inside("train -q --resume run --epochs 3");
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const auto& item : fs::recursive_directory_iterator(folder / "run")) {
    EXPECT_NE(item.path().extension(), ".part") << item.path();
    EXPECT_NE(item.path().filename(), ".lock") << item.path();
  }
}

TEST_F(Resume, ARunKeepsToItsOwnPlan) {
  const auto plan = run_inside("info plan --model resnet8 --method dgl");
  ASSERT_EQ(plan.exit_code, 0) << plan.output;
  write_text(folder / "mine.toml", plan.output);
  const auto train = [&](const std::string& run, int epochs) {
    return "train" + quick + "--method mine.toml --output " + run + " --epochs " +
           std::to_string(epochs);
  };
  ASSERT_EQ(run_inside(train("whole", 2)).exit_code, 0);
  ASSERT_EQ(run_inside(train("run", 1)).exit_code, 0);
  ASSERT_EQ(run_inside(train("other", 1)).exit_code, 0);
  // The file has another weight now, and then none at all.
  std::string changed = plan.output;
  changed.replace(changed.find("weight = 1"), 10, "weight = 7");
  write_text(folder / "mine.toml", changed);
  ASSERT_EQ(run_inside("train -q --resume run --epochs 2").exit_code, 0);
  fs::remove(folder / "mine.toml");
  ASSERT_EQ(run_inside("train -q --resume other --epochs 2").exit_code, 0);
  // A schedule of one epoch is another one than the first of two.
  expect_same_weights(folder / "run", folder / "other");
  EXPECT_EQ(read_text(folder / "run/plan.toml"), read_text(folder / "whole/plan.toml"));
  EXPECT_EQ(run_inside("analyze -q run").exit_code, 0);
}

TEST_F(Resume, AScriptThatOnlyACheckpointNamesIsNotOpened) {
  torch::jit::Module head("Head");
  head.register_parameter("weight", torch::randn({10, 8}), false);
  head.define("def forward(self, x):\n  return torch.linear(x.mean([2, 3]), self.weight)\n");
  torch::jit::Module body("Body");
  body.register_parameter("weight", torch::randn({8, 3, 3, 3}), false);
  body.define("def forward(self, x):\n  return torch.relu(torch.conv2d(x, self.weight))\n");
  torch::jit::Module network("Network");
  network.register_module("body", body);
  network.register_module("head", head);
  network.define("def forward(self, x):\n  return self.head.forward(self.body.forward(x))\n");
  for (auto parameter : network.parameters()) parameter.set_requires_grad(true);
  network.save(path("net.pt"));
  const std::string script = " --model net.pt";
  const auto trained = run_inside("train" + quick + script + " --epochs 1 --output run");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  for (const char* command :
       {"eval run", "analyze -q run", "train -q --resume run --epochs 2", "predict run any.png"}) {
    expect_refused(command, {"net.pt", "name it yourself", "--model " + path("net.pt")});
  }
  EXPECT_EQ(run_inside("eval run" + script).exit_code, 0);
  EXPECT_EQ(run_inside("analyze -q run" + script).exit_code, 0);
  EXPECT_EQ(run_inside("train -q --resume run --epochs 2" + script).exit_code, 0);
}

TEST_F(Resume, TheNumberOfThreadsIsWrittenDown) {
  const std::string without =
      quick.substr(0, quick.find("--threads")) + quick.substr(quick.find("--set"));
  ASSERT_EQ(run_inside("train" + without + "--epochs 1 --output run").exit_code, 0);
  const std::string settings = read_text(folder / "run/config.toml");
  EXPECT_EQ(settings.find("threads = 0"), std::string::npos) << settings;
  EXPECT_NE(settings.find("# one for each processor"), std::string::npos) << settings;
  const auto other = run_inside("train -q --resume run --epochs 2 --threads 7");
  EXPECT_EQ(other.exit_code, 0);
  EXPECT_NE(other.output.find("resuming with 7 threads"), std::string::npos) << other.output;
}

}  // namespace
}  // namespace mlaan::testing
