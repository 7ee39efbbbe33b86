#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>

namespace mlaan::testing {
namespace {

class Safetensors : public ::testing::Test {
 protected:
  /// A file with this header and these data bytes.
  std::filesystem::path write_raw(const std::string& header, const std::string& data) const {
    std::string bytes(8, '\0');
    for (std::size_t i = 0; i < 8; ++i)
      bytes[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
    write_text(folder / "raw.safetensors", bytes + header + data);
    return folder / "raw.safetensors";
  }

  void expect_refused(const std::string& header, const std::string& data,
                      const std::vector<std::string>& parts) const {
    const auto path = write_raw(header, data);
    auto expected = parts;
    expected.push_back("raw.safetensors");
    expect_user_error([&] { read_safetensors(path); }, expected);
  }

  TensorFile sample() const {
    return {{{"key", "value"}},
            {{"a", torch::arange(6).to(torch::kFloat32).view({2, 3})},
             {"b.c", torch::tensor({1, -2}, torch::kInt64)},
             {"empty", torch::empty({0, 4})},
             {"scalar", torch::tensor(2.5, torch::kFloat64)},
             {"half", torch::ones({3}, torch::kBFloat16)}}};
  }

  TemporaryFolder folder;
};

TEST_F(Safetensors, WhatIsWrittenIsRead) {
  const TensorFile written = sample();
  write_safetensors(folder / "x.safetensors", written);
  const TensorFile read = read_safetensors(folder / "x.safetensors");
  EXPECT_EQ(read.metadata.at("key"), "value");
  ASSERT_EQ(read.tensors.size(), written.tensors.size());
  for (const auto& named : written.tensors) {
    const auto tensor = read.find(named.name);
    ASSERT_TRUE(tensor.defined()) << named.name;
    EXPECT_EQ(tensor.scalar_type(), named.tensor.scalar_type());
    EXPECT_TRUE(torch::equal(tensor, named.tensor)) << named.name;
  }
  EXPECT_FALSE(read.find("nothing").defined());
}

TEST_F(Safetensors, ChannelsLastTensorsAreWrittenRowMajor) {
  const auto tensor = torch::randn({2, 3, 4, 5}).contiguous(torch::MemoryFormat::ChannelsLast);
  write_safetensors(folder / "x.safetensors", {{}, {{"t", tensor}}});
  const auto read = read_safetensors(folder / "x.safetensors").find("t");
  EXPECT_TRUE(read.is_contiguous());
  EXPECT_TRUE(torch::equal(read, tensor));
}

TEST_F(Safetensors, EveryTruncationIsRefused) {
  write_safetensors(folder / "x.safetensors", sample());
  const std::string whole = read_text(folder / "x.safetensors");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    write_text(folder / "cut.safetensors", whole.substr(0, length));
    expect_user_error([&] { read_safetensors(folder / "cut.safetensors"); }, {"cut.safetensors"});
  }
}

TEST_F(Safetensors, AChangedByteIsNoticed) {
  write_safetensors(folder / "x.safetensors", sample());
  std::string bytes = read_text(folder / "x.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(folder / "x.safetensors", bytes);
  expect_user_error([&] { read_safetensors(folder / "x.safetensors"); }, {"checksum"});
}

TEST_F(Safetensors, HeadersThatLieAreRefused) {
  const auto tensor = [](const std::string& type, const std::string& shape,
                         const std::string& offsets) {
    return R"({"t":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
  };
  const std::string four(4, '\0');
  expect_refused("no json", four, {"no JSON object"});
  expect_refused("[1,2]", four, {"no JSON object"});
  expect_refused(tensor("F99", "[1]", "[0,4]"), four, {"unknown type", "F99"});
  expect_refused(tensor("F32", "[2]", "[0,4]"), four, {"does not fit its shape"});
  expect_refused(tensor("F32", "[1]", "[4,8]"), four, {"does not fit"});
  expect_refused(tensor("F32", "[1]", "[4,0]"), four, {"does not fit"});
  expect_refused(tensor("F32", "[3]", "[0,12]"), four, {"cut short"});
  expect_refused(tensor("F32", "[-1]", "[0,4]"), four, {"impossible shape"});
  expect_refused(tensor("F32", "[4611686018427387904,4]", "[0,0]"), four, {"impossible shape"});
  expect_refused(tensor("F32", "\"x\"", "[0,4]"), four, {"no dtype, shape and data_offsets"});
  expect_refused(tensor("F32", "[1]", "[0,4]"), four + four, {"belong to no tensor"});
  expect_refused(R"({"__metadata__":{"a":1}})", "", {"metadata 'a'"});
  expect_refused(R"({"t":7})", four, {"tensor 't'"});
}

TEST_F(Safetensors, RandomDamageNeverCrashes) {
  write_safetensors(folder / "x.safetensors", sample());
  const std::string whole = read_text(folder / "x.safetensors");
  RandomStream random(1);
  for (int i = 0; i < 500; ++i) {
    std::string damaged = whole;
    for (std::uint64_t k = 0; k <= random.below(4); ++k) {
      damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
    }
    write_text(folder / "damaged.safetensors", damaged);
    try {
      read_safetensors(folder / "damaged.safetensors");
    } catch (const UserError&) {
      // Refused, as nearly all are; a changed letter of a name goes unnoticed, and does no harm.
    }
  }
}

TEST_F(Safetensors, AFileThatIsNotThereIsNamed) {
  expect_user_error([&] { read_safetensors(folder / "none.safetensors"); },
                    {"none.safetensors", "no file"});
}

TEST_F(Safetensors, AFullDiskLeavesTheOldFile) {
  write_safetensors(folder / "x.safetensors", {{}, {{"old", torch::ones({4})}}});
  // A limit on the size of files stands in for a full disk.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit limited = before;
  limited.rlim_cur = 4096;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limited), 0);
  std::string message;
  try {
    write_safetensors(folder / "x.safetensors", {{}, {{"new", torch::ones({100000})}}});
  } catch (const Error& error) {
    message = error.what();
  }
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_NE(message.find("unchanged"), std::string::npos) << message;
  EXPECT_TRUE(read_safetensors(folder / "x.safetensors").find("old").defined());
  std::size_t files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path())) {
    ++files;
  }
  EXPECT_EQ(files, 1U) << "the half-written file is gone";
}

TEST_F(Safetensors, AFolderThatCannotBeWrittenToIsNamed) {
  expect_user_error([&] { write_text(folder / "none/x.txt", "text"); }, {"none", "cannot write"});
}

}  // namespace
}  // namespace mlaan::testing
