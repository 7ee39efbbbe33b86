// What the program says, returns and leaves behind where something is amiss around it.
#include "support/files.h"
#include "support/picture_writer.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>

#include <algorithm>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const std::string tiny =
    " --model resnet8 --epochs 1 -b 8 --threads 1 --workers 0"
    " --set procedural.train_size=32 --set procedural.test_size=16 --set procedural.side=16"
    " --set validation.fraction=0.25 --set engine.memory_format=channels_last -q";

class Failures : public ::testing::Test {
 protected:
  std::string train(const std::string& name, const std::string& more = "") const {
    return "train" + tiny + " --method e2e --output " + (folder / name).string() + " " + more;
  }

  /// Expects this exit code, and one line with all of `parts` in it.
  static void expect_line(const ProgramResult& result, int exit_code,
                          const std::vector<std::string>& parts) {
    EXPECT_EQ(result.exit_code, exit_code) << result.output;
    EXPECT_EQ(std::count(result.output.begin(), result.output.end(), '\n'), 1) << result.output;
    EXPECT_EQ(result.output.compare(0, 7, "mlaan: "), 0) << result.output;
    for (const auto& part : parts) {
      EXPECT_NE(result.output.find(part), std::string::npos)
          << "no \"" << part << "\" in: " << result.output;
    }
  }

  TemporaryFolder folder;
};

TEST_F(Failures, ResultsThatCannotBePrintedAreAnError) {
  for (const char* arguments :
       {"info models", "info config", "--version", "--help", "train --help"}) {
    expect_line(run_shell(program() + " " + arguments + " > /dev/full"), 1,
                {"could not all be written to stdout", "No space left"});
    expect_line(run_shell(program() + " " + arguments + " >&-"), 1, {"stdout"});
  }
  expect_line(run_shell(program() + " " + train("run") + " > /dev/full"), 1, {"stdout"});
  expect_line(run_shell(program() + " eval " + (folder / "run").string() + " > /dev/full"), 1,
              {"stdout"});
}

TEST_F(Failures, ProgressGoesNowhereElseWhereStderrIsClosed) {
  const std::string loud = train("run").replace(train("run").find(" -q"), 3, "");
  EXPECT_EQ(run_shell(program() + " " + loud + " 2>&- < /dev/null").exit_code, 0);
  const std::string metrics = read_text(folder / "run/metrics.csv");
  EXPECT_EQ(std::count(metrics.begin(), metrics.end(), '\n'), 2) << metrics;
  EXPECT_EQ(metrics.compare(0, 11, "epoch,step,"), 0) << metrics;
  EXPECT_EQ(run_shell(program() + " " + train("other") + " <&- 2>&- >&-").exit_code, 1)
      << "results go nowhere";
}

TEST_F(Failures, AStartThatFailsLeavesNothing) {
  write_text(folder / "one.toml", "model = \"resnet8\"\nmodules = [\"stem to layer3.0\"]\n");
  for (const std::string& more :
       {std::string("--method mlm --set mlm.window=9"), std::string("--set lam.fraction=0"),
        "--method " + (folder / "one.toml").string(), std::string("--weights /dev/null"),
        std::string("-b 1 --method auglocal --set auglocal.depth=1")}) {
    const auto result = run_program(train("new/er/run", more));
    expect_line(result, 2, {});
    EXPECT_FALSE(fs::exists(folder / "new")) << more;
  }
  fs::create_directories(folder / "mine");
  write_text(folder / "mine/notes.txt", "mine");
  EXPECT_EQ(run_program(train("mine", "--method mlm --set mlm.window=9")).exit_code, 2);
  EXPECT_EQ(std::distance(fs::directory_iterator(folder / "mine"), fs::directory_iterator()), 1);
  const auto compared = run_program("compare" + tiny + " --methods mlm:mlm.window=9 --output " +
                                    (folder / "comparison").string());
  expect_line(compared, 2, {"window of 9"});
  EXPECT_FALSE(fs::exists(folder / "comparison"));
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  const auto evaluated = run_program("eval " + (folder / "run").string() + " --device warp");
  expect_line(evaluated, 2, {"warp"});
  EXPECT_FALSE(fs::exists(folder / "run/eval"));
}

TEST_F(Failures, WhatLibTorchSaysIsOneLine) {
  const std::string alone = train("alone", "-b 1 --method auglocal --set auglocal.depth=1");
  expect_line(run_program(alone), 2, {"batch normalisation", "batch_size of at least 2"});
  const auto traced = run_shell("MLAAN_BACKTRACE=1 " + program() + " " + alone);
  EXPECT_NE(traced.output.find("frame #"), std::string::npos) << traced.output;
  write_text(folder / "huge.toml",
             "model = \"resnet8\"\nmodules = [\"stem to layer1.0\", \"layer2.0 to layer3.0\"]\n"
             "[[net]]\nname = \"a\"\nlayers = [\"linear 1000000\", \"linear 1000000\", "
             "\"linear 10\"]\n[[supervision]]\nname = \"a\"\nwindow = [1, 1]\nnet = \"a\"\n"
             "loss = \"cross_entropy\"\nweight = 1\n[[supervision]]\nname = \"b\"\n"
             "window = [2, 2]\nnet = \"head\"\nloss = \"cross_entropy\"\nweight = 1\n");
  expect_line(run_program(train("huge", "--method " + (folder / "huge.toml").string())), 1,
              {"memory ran out", "TiB"});
}

TEST_F(Failures, InputsWithoutAnEndAreRefused) {
  expect_line(run_program("train -c /dev/zero"), 2, {"/dev/zero", "not a regular file"});
  expect_line(run_program("train --method /dev/zero.toml"), 2, {"/dev/zero.toml"});
  expect_line(run_program("train -c " + folder.path().string()), 2, {"a folder"});
  std::string key = "a";
  for (int i = 0; i < 40000; ++i) key += ".a";
  write_text(folder / "deep.toml", key + " = 1\n");
  expect_line(run_program("train -c " + (folder / "deep.toml").string()), 2, {"nested too deeply"});
}

TEST_F(Failures, DevicesThatAreNotThereAreNamed) {
  expect_line(run_program(train("x", "--device warp")), 2, {"'warp'", "no such device", "cpu"});
  expect_line(run_program(train("x", "--device meta")), 2, {"'meta'", "cpu"});
  const auto cuda = run_program(train("x", "--device cuda:97"));
  expect_line(cuda, 2, {"'cuda:97'", "known: cpu, and cuda"});
}

TEST_F(Failures, ARunIsUsedFromAnyFolder) {
  if (!built_with_pictures()) GTEST_SKIP() << "built without pictures";
  for (const char* part : {"train", "val"}) {
    for (const char* name : {"a/1.png", "a/2.png", "b/1.png", "b/2.png"}) {
      write_bytes(folder / ("pictures/" + std::string(part)) / name,
                  png_file(wavy_picture(3, 20, 20)));
    }
  }
  const auto here = [&](const std::string& arguments) {
    return run_shell("cd " + folder.path().string() + " && " + program() + " " + arguments);
  };
  const auto trained = here(
      "train --dataset folder --data pictures --output run --model resnet8"
      " --method e2e --epochs 1 -b 2 --workers 0 --set folder.side=16 -q");
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto evaluated = run_shell("cd / && " + program() + " eval " + (folder / "run").string());
  EXPECT_EQ(evaluated.exit_code, 0) << evaluated.output;
  EXPECT_NE(read_text(folder / "run/config.toml").find("/pictures\"  # --data"), std::string::npos);
}

TEST_F(Failures, FoldersOfPicturesArePredicted) {
  if (!built_with_pictures()) GTEST_SKIP() << "built without pictures";
  ASSERT_EQ(run_program(train("run")).exit_code, 0);
  write_bytes(folder / "pictures/one.png", png_file(wavy_picture(3, 40, 50)));
  write_bytes(folder / "pictures/below/two.png", png_file(wavy_picture(3, 40, 50)));
  write_bytes(folder / "three.png", png_file(wavy_picture(3, 40, 50)));
  fs::create_directories(folder / "empty");
  ASSERT_EQ(mkfifo((folder / "pictures/pipe.png").c_str(), 0600), 0);
  const auto path = [&](const char* name) { return " " + (folder / name).string(); };
  const auto result =
      run_program("predict" + path("run") + path("empty") + path("pictures") + path("three.png") +
                  path("none.png") + " --json" + path("out.json"));
  EXPECT_EQ(result.exit_code, 2) << result.output;
  const json pictures = json::parse(read_text(folder / "out.json"))["pictures"];
  std::vector<std::string> read;
  std::vector<std::string> refused;
  for (const auto& picture : pictures) {
    const std::string name = fs::path(picture["file"].get<std::string>()).filename().string();
    (picture.contains("error") ? refused : read).push_back(name);
  }
  EXPECT_EQ(read, (std::vector<std::string>{"two.png", "one.png", "three.png"}));
  // A pipe that is called like a picture is no picture of the folder, and keeps nobody waiting.
  EXPECT_EQ(refused, (std::vector<std::string>{"empty", "none.png"}));
}

}  // namespace
}  // namespace mlaan::testing
