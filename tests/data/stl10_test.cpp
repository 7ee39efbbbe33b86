#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/data/stl10.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t image_bytes = 3 * 96 * 96;

class Stl10 : public ::testing::Test {
 protected:
  void write(const fs::path& to) const {
    write_bytes(to / "train_X.bin", counting_bytes(2 * image_bytes));
    write_bytes(to / "train_y.bin", "\x0a\1");
    write_bytes(to / "test_X.bin", counting_bytes(image_bytes, 4));
    write_bytes(to / "test_y.bin", "\2");
  }

  void expect_refused(const std::vector<std::string>& parts) const {
    expect_user_error([&] { load_stl10(folder.path().string()); }, parts);
  }

  TemporaryFolder folder;
};

TEST_F(Stl10, ReadsPlanesColumnByColumn) {
  write(folder.path());
  const DataSource data = load_stl10(folder.path().string());
  ASSERT_EQ(data.train->size(), 2);
  ASSERT_EQ(data.test->size(), 1);
  EXPECT_EQ(data.train->get(0).label, 9);
  EXPECT_EQ(data.train->get(1).label, 0);
  EXPECT_EQ(data.test->get(0).label, 1);
  const torch::Tensor image = data.train->get(1).image;
  ASSERT_EQ(image.sizes(), (std::vector<std::int64_t>{3, 96, 96}));
  EXPECT_EQ(image[0][0][1].item<int>(), counted(image_bytes + 96)) << "row 0, column 1";
  EXPECT_EQ(image[2][5][7].item<int>(), counted(image_bytes + 2 * 96 * 96 + 7 * 96 + 5));
}

TEST_F(Stl10, FindsTheArchivesFolderAndNames) {
  write(folder / "stl10_binary");
  EXPECT_EQ(load_stl10(folder.path().string()).classes.at(3), "3");
  write_bytes(folder / "stl10_binary/class_names.txt",
              "airplane\nbird\ncar\ncat\ndeer\ndog\nhorse\nmonkey\nship\ntruck\n");
  EXPECT_EQ(load_stl10(folder.path().string()).classes.at(3), "cat");
}

TEST_F(Stl10, RefusesWhatIsNotThere) {
  expect_user_error([&] { load_stl10((folder / "nowhere").string()); }, {"no folder", "nowhere"});
  write(folder.path());
  fs::remove(folder / "test_y.bin");
  expect_refused({"no stl10", "test_y.bin"});
}

TEST_F(Stl10, RefusesSizesThatDoNotMatch) {
  write(folder.path());
  write_bytes(folder / "train_X.bin", counting_bytes(2 * image_bytes - 1));
  expect_refused({"train_X.bin", "cut short", "27648"});
  write_bytes(folder / "train_X.bin", "");
  expect_refused({"train_X.bin", "cut short"});
  write_bytes(folder / "train_X.bin", counting_bytes(3 * image_bytes));
  expect_refused({"train_y.bin", "2 bytes", "3 images"});
}

TEST_F(Stl10, RefusesLabelsOutOfRange) {
  write(folder.path());
  for (const char label : {'\0', '\x0b'}) {
    write_bytes(folder / "train_y.bin", std::string("\1") + label);
    expect_refused({"train_y.bin", "label 2", "1 to 10"});
  }
}

}  // namespace
}  // namespace mlaan::testing
