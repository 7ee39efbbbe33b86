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
