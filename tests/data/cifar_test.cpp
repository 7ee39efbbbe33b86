#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/data/cifar.h>

#include <gtest/gtest.h>

#include <fstream>

namespace mlaan::testing {
namespace {

/// A record: label bytes, then 3072 bytes of which each is `first` more than the one before.
std::string record(const std::string& labels, int first) {
  std::string bytes = labels;
  for (int i = 0; i < 3072; ++i) bytes.push_back(static_cast<char>((first + i) % 251));
  return bytes;
}

void write(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

class Cifar : public ::testing::Test {
 protected:
  void write_cifar10() const {
    write(folder / "data_batch_1.bin", record("\3", 0) + record("\7", 5));
    write(folder / "data_batch_3.bin", record(std::string("\0", 1), 9));
    write(folder / "test_batch.bin", record("\11", 1));
  }

  TemporaryFolder folder;
};

TEST_F(Cifar, ReadsRecordsInOrder) {
  write_cifar10();
  const DataSource data = load_cifar10(folder.path().string());
  ASSERT_EQ(data.train->size(), 3);
  ASSERT_EQ(data.test->size(), 1);
  EXPECT_EQ(data.train->get(1).label, 7);
  EXPECT_EQ(data.train->get(2).label, 0) << "of the third batch; the second is not there";
  EXPECT_EQ(data.test->get(0).label, 9);
  const Sample sample = data.train->get(1);
  EXPECT_EQ(sample.image.sizes(), (std::vector<std::int64_t>{3, 32, 32}));
  EXPECT_EQ(sample.image[0][0][0].item<int>(), 5);
  EXPECT_EQ(sample.image[0][1][0].item<int>(), 5 + 32);
  EXPECT_EQ(sample.image[1][0][0].item<int>(), (5 + 1024) % 251);
  EXPECT_EQ(data.classes.size(), 10U);
}

TEST_F(Cifar, ReadsClassNames) {
  write_cifar10();
  write(folder / "batches.meta.txt", "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n\n");
  EXPECT_EQ(load_cifar10(folder.path().string()).classes.at(9), "j");
}

TEST_F(Cifar, FindsTheArchivesOwnFolder) {
  std::filesystem::create_directory(folder / "cifar-100-binary");
  write(folder / "cifar-100-binary/train.bin", record("\5\143", 0) + record("\1\2", 3));
  write(folder / "cifar-100-binary/test.bin", record("\1\1", 0));
  const DataSource data = load_cifar100(folder.path().string());
  EXPECT_EQ(data.train->get(0).label, 99) << "the fine label";
  EXPECT_EQ(data.train->get(1).image[0][0][0].item<int>(), 3);
  EXPECT_EQ(data.classes.size(), 100U);
}

TEST_F(Cifar, RefusesWhatIsNotThere) {
  expect_user_error([&] { load_cifar10((folder / "nowhere").string()); }, {"no folder", "nowhere"});
  expect_user_error([&] { load_cifar10(folder.path().string()); },
                    {"data_batch_1.bin", "test_batch.bin"});
}

TEST_F(Cifar, RefusesATruncatedFile) {
  write_cifar10();
  write(folder / "test_batch.bin", record("\1", 0).substr(0, 3000));
  expect_user_error([&] { load_cifar10(folder.path().string()); },
                    {"test_batch.bin", "cut short", "3073"});
  write(folder / "test_batch.bin", "");
  expect_user_error([&] { load_cifar10(folder.path().string()); }, {"test_batch.bin", "cut short"});
}

TEST_F(Cifar, RefusesALabelOutOfRange) {
  write_cifar10();
  write(folder / "data_batch_3.bin", record("\1", 0) + record("\12", 0));
  expect_user_error([&] { load_cifar10(folder.path().string()); },
                    {"data_batch_3.bin", "record 2", "label 10", "0 to 9"});
}

}  // namespace
}  // namespace mlaan::testing
