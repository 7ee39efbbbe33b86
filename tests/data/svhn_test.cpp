#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/data/svhn.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/matlab_file.h>

#include <gtest/gtest.h>

#ifdef MLAAN_HAS_MATIO
#include "support/matlab_writer.h"
#endif

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

#ifdef MLAAN_HAS_MATIO

constexpr std::size_t svhn_image_bytes = 3 * 32 * 32;

class Svhn : public ::testing::Test {
 protected:
  void SetUp() override {
    write_svhn(train, counting_bytes(3 * svhn_image_bytes), "\x0a\1\x09");
    write_svhn(folder / "test_32x32.mat", counting_bytes(svhn_image_bytes, 5), "\2");
  }

  void expect_refused(const std::vector<std::string>& parts) const {
    expect_user_error([&] { load_svhn(folder.path().string()); }, parts);
  }

  TemporaryFolder folder;
  fs::path train = folder / "train_32x32.mat";
};

TEST_F(Svhn, ReadsPackedAndPlainFiles) {
  for (const bool packed : {true, false}) {
    write_svhn(train, counting_bytes(3 * svhn_image_bytes), "\x0a\1\x09", packed);
    const DataSource data = load_svhn(folder.path().string());
    ASSERT_EQ(data.train->size(), 3);
    ASSERT_EQ(data.test->size(), 1);
    EXPECT_EQ(data.train->get(0).label, 0) << "10 stands for the digit 0";
    EXPECT_EQ(data.train->get(1).label, 1);
    EXPECT_EQ(data.train->get(2).label, 9);
    const torch::Tensor image = data.train->get(1).image;
    ASSERT_EQ(image.sizes(), (std::vector<std::int64_t>{3, 32, 32}));
    EXPECT_EQ(image[0][0][1].item<int>(), counted(svhn_image_bytes + 32)) << "row 0, column 1";
    EXPECT_EQ(image[2][5][7].item<int>(), counted(svhn_image_bytes + 2048 + 7 * 32 + 5));
  }
}

TEST_F(Svhn, TrainsOnTheExtraPartWhereAsked) {
  SvhnOptions options;
  options.extra = true;
  expect_user_error([&] { load_svhn(folder.path().string(), options); }, {"extra_32x32.mat"});
  write_svhn(folder / "extra_32x32.mat", counting_bytes(2 * svhn_image_bytes), "\3\4");
  const DataSource data = load_svhn(folder.path().string(), options);
  ASSERT_EQ(data.train->size(), 5);
  EXPECT_EQ(data.train->get(4).label, 4);
}

TEST_F(Svhn, ReadsLabelsOfOtherNumberTypes) {
  std::string images = counting_bytes(2 * svhn_image_bytes);
  std::vector<double> labels{10, 3};
  write_matlab(train,
               {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, 2}, images.data()},
                {"y", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 2}, labels.data()}},
               /*packed=*/true);
  EXPECT_EQ(load_svhn(folder.path().string()).train->get(1).label, 3);
  labels[1] = 2.5;
  write_matlab(train,
               {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, 2}, images.data()},
                {"y", MAT_C_DOUBLE, MAT_T_DOUBLE, {1, 2}, labels.data()}},
               /*packed=*/true);
  expect_refused({train.string(), "label 2 of y is 2.5", "1 to 10"});
}

TEST_F(Svhn, RefusesWhatIsNotThere) {
  expect_user_error([&] { load_svhn((folder / "nowhere").string()); }, {"no folder", "nowhere"});
  fs::remove(folder / "test_32x32.mat");
  expect_refused({"no svhn", "test_32x32.mat"});
}

TEST_F(Svhn, RefusesLabelsOutOfRange) {
  for (const char label : {'\0', '\x0b'}) {
    write_svhn(train, counting_bytes(2 * svhn_image_bytes), std::string("\1") + label);
    expect_refused({train.string(), "label 2 of y", "1 to 10"});
  }
}

TEST_F(Svhn, RefusesSizesThatDoNotMatch) {
  write_svhn(train, counting_bytes(2 * svhn_image_bytes), "\1");
  expect_refused({train.string(), "1 labels", "2 images"});
  std::string bytes = counting_bytes(svhn_image_bytes);
  write_matlab(train, {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 96, 1, 1}, bytes.data()}}, true);
  expect_refused({train.string(), "X", "32×32×3×n"});
  write_matlab(train, {{"X", MAT_C_INT8, MAT_T_INT8, {32, 32, 3, 1}, bytes.data()}}, true);
  expect_refused({train.string(), "X", "uint8"});
}

TEST_F(Svhn, RefusesFilesWithoutTheArrays) {
  std::string bytes = counting_bytes(svhn_image_bytes);
  write_matlab(train, {{"Z", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, 1}, bytes.data()}}, true);
  expect_refused({train.string(), "'X'"});
  write_matlab(train, {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, 1}, bytes.data()}}, true);
  expect_refused({train.string(), "'y'"});
}

TEST_F(Svhn, RefusesOtherFormats) {
  write_bytes(train, "no MATLAB file");
  expect_refused({train.string(), "128 bytes"});
  write_bytes(train, counting_bytes(4000));
  expect_refused({train.string(), "order of bytes"});
  std::string bytes = counting_bytes(svhn_image_bytes);
  fs::remove(train);
  write_matlab(train, {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, 1}, bytes.data()}}, false,
               MAT_FT_MAT73);
  expect_refused({train.string(), "version 2", "-v7"});
}

TEST_F(Svhn, RefusesTruncatedFiles) {
  for (const bool packed : {true, false}) {
    write_svhn(train, counting_bytes(40 * svhn_image_bytes), std::string(40, '\1'), packed);
    const std::string whole = read_text(train);
    for (const double share : {0.02, 0.3, 0.6, 0.9, 0.99}) {
      SCOPED_TRACE(std::to_string(share) + (packed ? " packed" : " plain"));
      write_bytes(
          train,
          whole.substr(0, static_cast<std::size_t>(share * static_cast<double>(whole.size()))));
      expect_refused({train.string()});
    }
  }
}

TEST_F(Svhn, AsksForNoMemoryThatTheFileCannotFill) {
  write_svhn(train, counting_bytes(2 * svhn_image_bytes), "\1\2", /*packed=*/false);
  std::string bytes = read_text(train);
  // The last of X's sizes, little-endian: behind the file's header (128), the array's tag (8), its
  // flags (16), the tag of its sizes (8) and the first three of them.
  const std::size_t place = 128 + 8 + 16 + 8 + 12;
  ASSERT_EQ(bytes.substr(place, 4), std::string("\2\0\0\0", 4));
  bytes.replace(place, 4, "\xff\xff\xff\x7f");
  write_bytes(train, bytes);
  expect_refused({train.string(), "'X'", "more than the file can hold"});
}

#else

TEST(Svhn, SaysWhatItNeeds) {
  EXPECT_FALSE(can_read_matlab_files());
  const TemporaryFolder folder;
  write_bytes(folder / "train_32x32.mat", "");
  write_bytes(folder / "test_32x32.mat", "");
  expect_user_error([&] { load_svhn(folder.path().string()); }, {"matio", "libmatio-dev"});
  EXPECT_NE(svhn_entry().summary.find("needs a build with matio"), std::string::npos);
}

#endif

}  // namespace
}  // namespace mlaan::testing
