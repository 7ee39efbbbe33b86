#include "support/errors.h"
#include "support/files.h"
#include "support/folders.h"
#include "support/temporary_folder.h"

#include <mlaan/data/mnist.h>
#include <mlaan/io/idx.h>

#include <gtest/gtest.h>

#include <map>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

class Idx : public ::testing::Test {
 protected:
  void expect_refused(const std::string& bytes, const std::string& part) const {
    write_bytes(path, bytes);
    expect_user_error([&] { read_idx(path); }, {path.string(), part});
  }

  TemporaryFolder folder;
  fs::path path = folder / "file-idx3-ubyte";
};

TEST_F(Idx, ReadsSizesAndBytesPackedOrNot) {
  const std::string bytes = idx_header({2, 3, 4}) + counting_bytes(24, 7);
  for (const auto& content : {bytes, gzipped(bytes)}) {
    write_bytes(path, content);
    const torch::Tensor array = read_idx(path);
    ASSERT_EQ(array.sizes(), (std::vector<std::int64_t>{2, 3, 4}));
    EXPECT_EQ(array.scalar_type(), torch::kUInt8);
    EXPECT_EQ(array[1][2][3].item<int>(), 7 + 23);
    EXPECT_EQ(array[0][1][0].item<int>(), 7 + 4);
  }
}

TEST_F(Idx, RefusesWhatIsNotThere) {
  expect_user_error([&] { read_idx(path); }, {"no file", path.string()});
  expect_user_error([&] { read_idx(folder.path()); }, {"no file", folder.path().string()});
}

TEST_F(Idx, RefusesOtherMagicNumbers) {
  expect_refused("", "4 bytes");
  expect_refused(std::string("\0\0\x08", 3), "4 bytes");
  expect_refused("text that is no IDX file", "two zero bytes");
  expect_refused(std::string("\0\0\x0d\3\0\0\0\1", 8), "type 13");
  expect_refused(std::string("\0\0\x08\0", 4), "0 dimensions");
  expect_refused(std::string("\0\0\x08\x09", 4), "9 dimensions");
}

TEST_F(Idx, RefusesSizesThatDoNotMatch) {
  expect_refused(idx_header({2, 3}).substr(0, 11), "cut short in its sizes");
  expect_refused(idx_header({2, 3}) + counting_bytes(5), "cut short: its sizes 2×3 need 6 bytes");
  expect_refused(idx_header({2, 3}) + counting_bytes(7), "has more than the 6 bytes");
  expect_refused(idx_header({2, 0}), "empty");
}

TEST_F(Idx, AsksForNoMemoryThatTheFileCannotFill) {
  const std::uint32_t most = 0xffffffff;
  expect_refused(idx_header({most, most, most}) + counting_bytes(100),
                 "more bytes than it can hold");
  expect_refused(idx_header({most}) + counting_bytes(100), "more bytes than it can hold");
}

TEST_F(Idx, RefusesDamagedGzipData) {
  const std::string packed = gzipped(idx_header({40, 50}) + counting_bytes(2000));
  expect_refused(packed.substr(0, packed.size() / 2), path.string());
  std::string changed = packed;
  changed[changed.size() - 6] = static_cast<char>(changed[changed.size() - 6] ^ 1);  // its checksum
  expect_refused(changed, "gzip data");
}

class Mnist : public ::testing::Test {
 protected:
  /// Three images to train on, labelled 5, 0, 9, and one to test, labelled 1.
  static std::map<std::string, std::string> files() {
    return {{"train-images-idx3-ubyte", idx_header({3, 28, 28}) + counting_bytes(3 * 784)},
            {"train-labels-idx1-ubyte", idx_header({3}) + std::string("\5\0\x09", 3)},
            {"t10k-images-idx3-ubyte", idx_header({1, 28, 28}) + counting_bytes(784, 3)},
            {"t10k-labels-idx1-ubyte", idx_header({1}) + "\1"}};
  }

  void write(const fs::path& to, bool packed) const {
    for (const auto& [name, bytes] : files()) {
      write_bytes(to / (packed ? name + ".gz" : name), packed ? gzipped(bytes) : bytes);
    }
  }

  TemporaryFolder folder;
};

TEST_F(Mnist, ReadsImagesOfOneChannel) {
  for (const bool packed : {true, false}) {
    const fs::path part = folder / (packed ? "packed" : "plain");
    write(part, packed);
    const DataSource data = load_mnist(part.string());
    ASSERT_EQ(data.train->size(), 3);
    ASSERT_EQ(data.test->size(), 1);
    EXPECT_EQ(data.image_shape, (Shape{1, 28, 28}));
    const Sample sample = data.train->get(2);
    EXPECT_EQ(sample.label, 9);
    EXPECT_EQ(sample.image.sizes(), (std::vector<std::int64_t>{1, 28, 28}));
    EXPECT_EQ(sample.image[0][1][2].item<int>(), (2 * 784 + 28 + 2) % 251);
  }
}

TEST_F(Mnist, FindsTorchvisionsFolders) {
  write(folder / "MNIST/raw", /*packed=*/true);
  write(folder / "FashionMNIST/raw", /*packed=*/false);
  EXPECT_EQ(load_mnist(folder.path().string()).classes.at(9), "9");
  EXPECT_EQ(load_fashion_mnist(folder.path().string()).classes.at(9), "Ankle boot");
}

TEST_F(Mnist, FindsTheFilesAsKaggleNamesThem) {
  const auto dotted = [](std::string name) { return name.replace(name.find("-idx"), 1, "."); };
  for (const bool in_folders : {false, true}) {
    const fs::path part = folder / (in_folders ? "folders" : "plain");
    for (const auto& [name, bytes] : files()) {
      write_bytes(in_folders ? part / name / name : part / dotted(name), bytes);
    }
    const DataSource data = load_mnist(part.string());
    EXPECT_EQ(data.train->get(2).label, 9);
    EXPECT_EQ(data.test->size(), 1);
  }
}

TEST_F(Mnist, RefusesWhatIsNotThere) {
  expect_user_error([&] { load_mnist((folder / "nowhere").string()); }, {"no folder", "nowhere"});
  write(folder.path(), /*packed=*/false);
  fs::remove(folder / "t10k-labels-idx1-ubyte");
  expect_user_error([&] { load_fashion_mnist(folder.path().string()); },
                    {"no fashion_mnist", "t10k-labels-idx1-ubyte", "t10k-labels.idx1-ubyte"});
}

TEST_F(Mnist, RefusesImagesAndLabelsThatDoNotMatch) {
  write(folder.path(), /*packed=*/false);
  const auto load = [&] { load_mnist(folder.path().string()); };
  const fs::path labels = folder / "train-labels-idx1-ubyte";
  write_bytes(labels, idx_header({2}) + "\1\2");
  expect_user_error(load, {labels.string(), "3 images"});
  write_bytes(labels, idx_header({3}) + "\1\2\x0a");
  expect_user_error(load, {labels.string(), "label 3 is 10", "0 to 9"});
  const fs::path images = folder / "train-images-idx3-ubyte";
  write_bytes(images, idx_header({3, 28, 27}) + counting_bytes(3UL * 28 * 27));
  expect_user_error(load, {images.string(), "3×28×27", "n×28×28"});
  write_bytes(images, idx_header({3UL}) + "abc");
  expect_user_error(load, {images.string(), "n×28×28"});
}

TEST_F(Mnist, ReadsTheRealFiles) {
  const fs::path real = shared_folder() / "data/mnist";
  if (!fs::exists(real)) GTEST_SKIP() << "no MNIST in " << real;
  const DataSource data = load_mnist(real.string());
  ASSERT_EQ(data.train->size(), 60000);
  ASSERT_EQ(data.test->size(), 10000);
  const std::vector<std::int64_t> first{5, 0, 4, 1, 9, 2, 1, 3, 1, 4};
  double sum = 0;
  std::vector<int> counts(10, 0);
  for (std::int64_t i = 0; i < 2000; ++i) {
    const Sample sample = data.train->get(i);
    if (i < 10) {
      EXPECT_EQ(sample.label, first.at(static_cast<std::size_t>(i)));
    }
    sum += sample.image.to(torch::kFloat32).mean().item<double>() / 255;
    ++counts.at(static_cast<std::size_t>(sample.label));
  }
  EXPECT_NEAR(sum / 2000, data.normalisation.mean.at(0), 0.003);
  for (const auto count : counts) EXPECT_GT(count, 100);
}

}  // namespace
}  // namespace mlaan::testing
