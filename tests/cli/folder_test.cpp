// Folders of pictures, as users train on them.
#include "support/files.h"
#include "support/interrupted_program.h"
#include "support/picture_writer.h"
#include "support/program.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Pictures in two classes, light and dark, of which one to train on and one to test on are
/// damaged.
class FolderOfPictures : public ::testing::Test {
 protected:
  FolderOfPictures() {
    const auto waves = wavy_picture(3, 40, 50);
    for (int i = 0; i < 12; ++i) {
      const std::string name = std::to_string(i) + ".jpg";
      const std::string part = i < 8 ? "train" : "val";
      write_bytes(folder / (part + "/dark/" + name), jpeg_file(waves.floor_divide(3 + i % 3)));
      write_bytes(folder / (part + "/light/" + name),
                  jpeg_file(255 - waves.floor_divide(3 + i % 3)));
    }
    write_bytes(folder / "train/dark/3.jpg", "these are words");
    write_bytes(folder / "val/light/9.jpg", "");
  }

  std::string flags(const std::string& run, int epochs) const {
    return " --dataset folder --data " + folder.path().string() +
           " --model resnet8 --method dgl --modules 2 --epochs " + std::to_string(epochs) +
           " -b 4 --threads 1 --workers 2 --set folder.side=16 --set validation.fraction=0.2"
           " --output " +
           (folder / run).string();
  }

  TemporaryFolder folder;
};

TEST_F(FolderOfPictures, IsCheckedTrainedOnAndTested) {
  const auto checked = run_program("data check -q " + folder.path().string());
  EXPECT_EQ(checked.exit_code, 2);
  EXPECT_NE(checked.output.find("3.jpg: no picture"), std::string::npos) << checked.output;
  EXPECT_NE(checked.output.find("9.jpg: the file is empty"), std::string::npos);
  EXPECT_NE(checked.output.find("24 pictures read, 2 damaged"), std::string::npos);

  const auto fatal = run_program("train" + flags("run", 2));
  EXPECT_EQ(fatal.exit_code, 2);
  EXPECT_NE(fatal.output.find("3.jpg: no picture"), std::string::npos) << fatal.output;

  const auto trained = run_program("train --set folder.damaged=skip" + flags("run", 2));
  EXPECT_EQ(trained.exit_code, 0) << trained.output;
  EXPECT_NE(trained.output.find("mlaan: skipped "), std::string::npos) << trained.output;
  EXPECT_NE(trained.output.find("waiting for data"), std::string::npos) << trained.output;

  const auto tested = run_program("eval " + (folder / "run").string());
  EXPECT_EQ(tested.exit_code, 0) << tested.output;
  EXPECT_NE(tested.output.find("skipped " + (folder / "val/light/9.jpg").string()),
            std::string::npos)
      << tested.output;
}

TEST_F(FolderOfPictures, AKilledRunGoesOnToTheSameWeights) {
  const auto train = [&](const std::string& run) {
    return "train -q --set folder.damaged=skip --set engine.memory_format=channels_last"
           " --set log.steps=1" +
           flags(run, 60);
  };
  const auto whole = run_program(train("whole"));
  ASSERT_EQ(whole.exit_code, 0) << whole.output;

  ASSERT_EQ(
      interrupt_program(train("killed"), folder / "output", folder / "killed", {3, 2}, SIGKILL), -1)
      << read_text(folder / "output");
  const auto resumed = run_program("train --resume -q --output " + (folder / "killed").string());
  ASSERT_EQ(resumed.exit_code, 0) << resumed.output;
  expect_same_weights(folder / "killed", folder / "whole");
}

/// A folder of few pictures, dark and light, in these classes.
void write_classes(const std::filesystem::path& folder, const std::string& dark,
                   const std::string& light) {
  const auto waves = wavy_picture(3, 40, 50);
  for (int i = 0; i < 12; ++i) {
    const std::string part = i < 8 ? "train/" : "val/";
    const std::string name = "/" + std::to_string(i) + ".png";
    write_bytes(folder / (part + dark + name), png_file(waves.floor_divide(3 + i % 3)));
    write_bytes(folder / (part + light + name), png_file(255 - waves.floor_divide(3 + i % 3)));
  }
}

std::string training(const std::filesystem::path& data, const std::filesystem::path& output) {
  return "train -q --dataset folder --data '" + data.string() + "' --output '" + output.string() +
         "' --model resnet8 --method e2e -b 4 --threads 1 --workers 0 --epochs 8 "
         "--set folder.side=16 --set validation.fraction=0.2 "
         "--set engine.memory_format=contiguous";
}

std::string error_of(const std::filesystem::path& json) {
  const std::string text = read_text(json);
  const auto place = text.find("\"test_error\": ");
  return text.substr(place, text.find(',', place) - place);
}

TEST(Classes, AreMatchedByNameOrRefused) {
  const TemporaryFolder folder;
  write_classes(folder / "one", "cat", "dog");
  // The same names, each of the other's pictures.
  write_classes(folder / "same", "dog", "cat");
  write_classes(folder / "other", "cat", "kitten");
  const auto run = folder / "run";
  const auto trained = run_program(training(folder / "one", run));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const auto refused =
      run_program("eval " + run.string() + " --data " + (folder / "other").string());
  EXPECT_EQ(refused.exit_code, 2);
  EXPECT_NE(refused.output.find("'kitten'"), std::string::npos) << refused.output;
  EXPECT_NE(refused.output.find("'dog'"), std::string::npos) << refused.output;
  const auto resumed = run_program("train -q --epochs 9 --resume " + run.string() + " --data " +
                                   (folder / "other").string());
  EXPECT_EQ(resumed.exit_code, 2) << resumed.output;

  ASSERT_EQ(
      run_program("eval " + run.string() + " --json " + (folder / "one.json").string()).exit_code,
      0);
  ASSERT_EQ(run_program("eval " + run.string() + " --data " + (folder / "same").string() +
                        " --json " + (folder / "same.json").string())
                .exit_code,
            0);
  const auto weights =
      run_program("eval --dataset folder --model resnet8 --set folder.side=16 --data " +
                  (folder / "same").string() + " --output " + (folder / "weights").string() +
                  " --weights " + (run / "checkpoints/last.safetensors").string());
  EXPECT_EQ(weights.exit_code, 0) << "the same names: " << weights.output;
  const auto other_weights =
      run_program("eval --dataset folder --model resnet8 --set folder.side=16 --data " +
                  (folder / "other").string() + " --output " + (folder / "weights").string() +
                  " --weights " + (run / "checkpoints/last.safetensors").string());
  EXPECT_EQ(other_weights.exit_code, 2) << other_weights.output;
  EXPECT_EQ(error_of(folder / "one.json"), "\"test_error\": 0.0") << "easy to tell apart";
  EXPECT_EQ(error_of(folder / "same.json"), "\"test_error\": 100.0") << "dark ones are dogs there";
}

TEST(Classes, AndPathsAreOfAnyBytes) {
  const TemporaryFolder folder;
  const std::string dark = "caf\xE9\n\x1B[31m";
  const std::string light = "\xEF\x9F\xA9 \"quoted\" \\";
  const auto data = folder / "d\xFF\r\n\"";
  const auto run = folder / "run\xE9 \t\x01";
  write_classes(data, dark, light);
  const auto trained = run_program(training(data, run));
  ASSERT_EQ(trained.exit_code, 0) << trained.output;
  const std::string quoted = "'" + run.string() + "'";
  const auto tested = run_program("eval --per-class " + quoted + " --json '" +
                                  (run / "out\xFE.json").string() + "'");
  ASSERT_EQ(tested.exit_code, 0) << tested.output;
  EXPECT_NE(tested.output.find("caf\\xe9\\n\\x1b[31m"), std::string::npos) << tested.output;
  EXPECT_NE(read_text(run / "out\xFE.json").find("caf\\udce9\\n\\u001b[31m"), std::string::npos);
  const auto resumed = run_program("train -q --epochs 9 --resume " + quoted);
  EXPECT_EQ(resumed.exit_code, 0) << resumed.output;
  const auto predicted = run_program("predict " + quoted + " --json - '" +
                                     (data / "val" / dark / "9.png").string() + "'");
  EXPECT_EQ(predicted.exit_code, 0) << predicted.output;
  EXPECT_NE(predicted.output.find("d\\udcff\\r\\n\\\""), std::string::npos) << predicted.output;
}

TEST_F(FolderOfPictures, LoaderIsMeasured) {
  const auto measured = run_program("bench loader --data " + folder.path().string() +
                                    " -b 4 --epochs 1 --set folder.side=16"
                                    " --set folder.damaged=skip --json " +
                                    (folder / "loader.json").string());
  EXPECT_EQ(measured.exit_code, 0) << measured.output;
  EXPECT_NE(measured.output.find("images/s"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(folder / "loader.json"));
  EXPECT_EQ(run_program("bench loadr").exit_code, 2);
}

}  // namespace
}  // namespace mlaan::testing
