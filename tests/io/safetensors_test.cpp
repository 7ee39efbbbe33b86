#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/core/random.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/io/safetensors.h>

#include <torch/torch.h>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

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

TEST_F(Safetensors, WhatIsNoSuchFileIsNamedForWhatItIs) {
  std::filesystem::create_directory(folder / "run");
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  write_text(folder / "network.onnx", "the bytes of a model");
  const auto refuse = [&](const std::string& name, const std::vector<std::string>& parts) {
    expect_user_error([&] { read_safetensors(folder / name); }, parts);
  };
  refuse("none", {"there is no file", "none"});
  refuse("run", {"run is a folder"});
  refuse("pipe", {"pipe is a device, a pipe or a socket"});
  refuse("network.onnx", {"network.onnx is an ONNX model", "--to safetensors"});
}

TEST_F(Safetensors, AChangedByteIsNoticed) {
  write_safetensors(folder / "x.safetensors", sample());
  std::string bytes = read_text(folder / "x.safetensors");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  write_text(folder / "x.safetensors", bytes);
  expect_user_error([&] { read_safetensors(folder / "x.safetensors"); }, {"checksum"});
}

TEST_F(Safetensors, AChangedHeaderIsNoticed) {
  write_safetensors(folder / "x.safetensors", sample());
  const std::string whole = read_text(folder / "x.safetensors");
  for (const auto& [from, to] : std::vector<std::pair<std::string, std::string>>{
           {"value", "Value"}, {"b.c", "b.d"}, {"I64", "F64"}, {"\"scalar\"", "\"skalar\""}}) {
    std::string changed = whole;
    changed.replace(changed.find(from), from.size(), to);
    write_text(folder / "x.safetensors", changed);
    expect_user_error([&] { read_safetensors(folder / "x.safetensors"); }, {"x.safetensors"});
  }
}

TEST_F(Safetensors, EveryBitOfAFileCounts) {
  write_safetensors(folder / "x.safetensors", {{{"key", "value"}}, {{"a", torch::ones({2})}}});
  const std::string whole = read_text(folder / "x.safetensors");
  const std::string key = "mlaan.checksum";
  const std::size_t place_of_key = whole.find(key);
  for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
    // Without its name, the checksum is none; nothing else is changed then.
    if (bit / 8 >= place_of_key && bit / 8 < place_of_key + key.size()) continue;
    std::string changed = whole;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << (bit % 8)));
    write_text(folder / "x.safetensors", changed);
    EXPECT_THROW(read_safetensors(folder / "x.safetensors"), UserError) << "bit " << bit;
  }
}

TEST_F(Safetensors, ChecksumsOfOlderFilesAreStillChecked) {
  const std::string header =
      R"({"__metadata__":{"mlaan.crc32":"NUMBER"},"t":{"dtype":"U8","shape":[4],"data_offsets":[0,4]}})";
  const auto with = [&](const std::string& number) {
    std::string text = header;
    return text.replace(text.find("NUMBER"), 6, number);
  };
  EXPECT_EQ(read_safetensors(write_raw(with("2615402659"), "1234")).tensors.size(), 1U)
      << "the CRC-32 of 1234";
  expect_refused(with("2615402658"), "1234", {"checksum"});
}

TEST_F(Safetensors, AnyBytesAreTextsAndNames) {
  const std::string name = "caf\xE9\n\"";
  write_safetensors(folder / "x.safetensors", {{{name, name}}, {{name, torch::ones({2})}}});
  const TensorFile read = read_safetensors(folder / "x.safetensors");
  EXPECT_EQ(read.metadata.at(name), name);
  EXPECT_TRUE(read.find(name).defined());
}

TEST_F(Safetensors, AHundredThousandTensorsAreReadAndWritten) {
  // Where each name is compared with all before it, this takes minutes.
  TensorFile file;
  for (int i = 0; i < 100000; ++i) {
    file.tensors.push_back({"tensor." + std::to_string(i), torch::empty({0})});
  }
  write_safetensors(folder / "x.safetensors", file);
  EXPECT_EQ(read_safetensors(folder / "x.safetensors").tensors.size(), file.tensors.size());
}

TEST_F(Safetensors, HeadersThatLieAreRefused) {
  const auto tensor = [](const std::string& type, const std::string& shape,
                         const std::string& offsets) {
    return R"({"t":{"dtype":")" + type + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets +
           "}}";
  };
  const std::string four(4, '\0');
  expect_refused("no json", four, {"not a JSON object"});
  expect_refused("[1,2]", four, {"not a JSON object"});
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
  const std::string entry = R"({"dtype":"F32","shape":[1],"data_offsets":[0,4]})";
  expect_refused("{\"t\":" + entry + ",\"t\":" + entry + "}", four, {"'t' twice"});
  expect_refused(R"({"__metadata__":{"a":"1","a":"2"}})", "", {"'a' twice"});
  for (const char* offsets : {"[0,4.0]", "[false,4]", "[0,4,4]", "[-0.5,4]", "[\"0\",4]", "{}"}) {
    expect_refused(tensor("F32", "[1]", offsets), four, {"no dtype, shape and data_offsets"});
  }
  for (const char* shape : {"[1.0]", "[true]", "{\"0\":1}", "[18446744073709551615]", "[[1]]"}) {
    expect_refused(tensor("F32", shape, "[0,4]"), four, {"no dtype, shape and data_offsets"});
  }
  expect_refused("{\"t\":" + std::string(50000, '['), four, {"raw.safetensors"});
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
