#include "io/protobuf.h"
#include "io/record_file.h"
#include "support/folders.h"
#include "support/python.h"
#include "support/temporary_folder.h"

#include <mlaan/core/error.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/tensorboard.h>

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(RecordFile, ChecksumsAreCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);            // of the catalogue of checksums
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(RecordFile, GivesBackWholeRecordsAlone) {
  const std::string first = framed_record("one");
  const std::string second = framed_record(std::string(300, 'x'));
  const std::string file = first + second;
  ASSERT_EQ(whole_records(file).size(), 2U);
  EXPECT_EQ(whole_records(file)[0], "one");
  EXPECT_EQ(whole_records(file.substr(0, file.size() - 1)).size(), 1U);
  std::string damaged = file;
  damaged[first.size() + 20] ^= 1;
  EXPECT_EQ(whole_records(damaged).size(), 1U);
}

TEST(Protobuf, ReadsWhatItWrites) {
  ProtobufWriter inner;
  inner.text(1, "name");
  ProtobufWriter outer;
  outer.integer(1, -3);
  outer.integer(16, 300);
  outer.float32(2, 1.5F);
  outer.float64(3, -0.25);
  outer.message(4, inner);
  EXPECT_EQ(inner.bytes(), std::string("\x0a\x04name"));
  ProtobufReader reader(outer.bytes());
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(static_cast<std::int64_t>(reader.number()), -3);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.field(), 16);
  EXPECT_EQ(reader.number(), 300U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.number(), 0x3fc00000U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.number(), 0xbfd0000000000000U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.bytes(), inner.bytes());
  EXPECT_FALSE(reader.next());
  for (std::size_t size = 1; size < outer.bytes().size(); ++size) {
    ProtobufReader cut(std::string_view(outer.bytes()).substr(0, size));
    try {
      while (cut.next()) {
      }
    } catch (const UserError&) {
      // either is right: at some places a message may end
    }
  }
}

/// Two epochs of two steps, as a run tells of them.
void run_steps(TensorBoardFile& board, std::int64_t first, std::int64_t last) {
  for (std::int64_t step = first; step <= last; ++step) {
    StepReport steps;
    steps.step = step;
    steps.learning_rate = 0.5;
    steps.losses = {1.0 / static_cast<double>(step), std::numeric_limits<double>::quiet_NaN()};
    steps.supervisions = {"cascaded 1..2", "output 3..3"};
    board.on_steps(steps);
    if (step % 2 != 0) continue;
    EpochReport epoch;
    epoch.step = step;
    epoch.train_error = 40;
    epoch.validation_error = 30;
    epoch.peak_bytes = std::int64_t{1} << 30;
    board.on_epoch(epoch);
  }
}

void begin(TensorBoardFile& board, std::int64_t steps_done) {
  RunReport report;
  report.steps_done = steps_done;
  board.on_start(report);
}

std::vector<std::int64_t> steps_in(const fs::path& folder) {
  std::vector<std::int64_t> steps;
  for (const auto& entry : fs::directory_iterator(folder)) {
    const std::string content = read_text(entry.path());
    for (const auto& record : whole_records(content)) {
      std::int64_t step = 0;
      bool scalars = false;
      ProtobufReader reader(record);
      while (reader.next()) {
        if (reader.field() == 2) step = static_cast<std::int64_t>(reader.number());
        scalars = scalars || reader.field() == 5;
      }
      if (scalars) steps.push_back(step);
    }
  }
  std::sort(steps.begin(), steps.end());
  return steps;
}

TEST(TensorBoard, ARunThatGoesOnLeavesEachStepOnce) {
  const TemporaryFolder folder;
  {
    TensorBoardFile board(folder.path());
    begin(board, 0);
    run_steps(board, 1, 3);
  }
  for (const auto& entry : fs::directory_iterator(folder / "tensorboard")) {
    std::ofstream(entry.path(), std::ios::app | std::ios::binary) << "half a record";
  }
  TensorBoardFile board(folder.path());
  begin(board, 2);  // step 3 was not saved
  run_steps(board, 3, 4);
  EXPECT_EQ(steps_in(folder / "tensorboard"), (std::vector<std::int64_t>{1, 2, 2, 3, 4, 4}));
  TensorBoardFile anew(folder.path());
  begin(anew, 0);
  EXPECT_EQ(steps_in(folder / "tensorboard"), std::vector<std::int64_t>());
}

TEST(TensorBoard, PythonReadsWhatIsWritten) {
  if (!python_runs("import tensorboard")) GTEST_SKIP() << "Python's tensorboard is not installed";
  const TemporaryFolder folder;
  {
    TensorBoardFile board(folder.path());
    begin(board, 0);
    run_steps(board, 1, 3);
  }
  TensorBoardFile board(folder.path());
  begin(board, 2);
  run_steps(board, 3, 4);
  const fs::path printed = folder / "printed.txt";
  const std::string command =
      python + " " + (test_folder() / "support/tensorboard_scalars.py").string() + " " +
      (folder / "tensorboard").string() + " > " + printed.string() + " 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  const std::string scalars = read_text(printed);
  for (const char* line : {"supervision/cascaded 1..2|1|1\n", "supervision/cascaded 1..2|4|0.25\n",
                           "learning_rate|3|0.5\n", "error/train|4|40\n", "error/validation|2|30\n",
                           "peak_bytes|4|1.07374e+09\n"}) {
    EXPECT_NE(scalars.find(line), std::string::npos) << line << " is not in\n" << scalars;
  }
  // Step 3 once, although it was trained twice; nothing of what was no number.
  EXPECT_EQ(scalars.find("supervision/cascaded 1..2|3|"),
            scalars.rfind("supervision/cascaded 1..2|3|"));
  EXPECT_EQ(scalars.find("output"), std::string::npos);
}

}  // namespace
}  // namespace mlaan::testing
