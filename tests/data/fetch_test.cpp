#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/data/fetch.h>

#include <gtest/gtest.h>

#ifdef MLAAN_HAS_DOWNLOAD
#include "support/archive_writer.h"
#include "support/http_server.h"
#include "support/program.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/checksum.h>
#endif

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

/// Keeps the notes.
class Notes final : public FetchObserver {
 public:
  void on_bytes(const std::string&, std::int64_t done, std::int64_t total) override {
    EXPECT_TRUE(total == 0 || done <= total);
  }
  void on_note(const std::string& text) override { all += text + "\n"; }

  std::string all;
};

TEST(Fetch, KnowsWhereDataSetsComeFrom) {
  for (const auto& dataset : dataset_registry().entries()) {
    SCOPED_TRACE(dataset.name);
    for (const auto& file : dataset.files) {
      EXPECT_FALSE(file.name.empty());
      EXPECT_FALSE(file.addresses.empty());
      for (const auto& address : file.addresses) {
        EXPECT_EQ(address.compare(0, 4, "http"), 0);
        EXPECT_EQ(address.back(), '/');
      }
      const bool md5 = file.checksum.compare(0, 4, "md5:") == 0;
      EXPECT_EQ(file.checksum.size(), md5 ? 4U + 32 : 7U + 64);
      EXPECT_GT(file.bytes, 0);
    }
  }
  EXPECT_EQ(dataset_registry().at("cifar10").files.size(), 1U);
  EXPECT_EQ(dataset_registry().at("mnist").files.size(), 4U);
}

TEST(Fetch, RefusesADataSetWithoutFiles) {
  const TemporaryFolder folder;
  Notes notes;
  expect_user_error([&] { fetch(dataset_registry().at("procedural"), folder.path(), {}, notes); },
                    {"procedural", "no files to download"});
}

#ifdef MLAAN_HAS_DOWNLOAD

class FetchFiles : public ::testing::Test {
 protected:
  FetchFiles() { options.retries = 0; }

  /// A published file whose content is `bytes`.
  PublishedFile file(const std::string& name, const std::string& bytes,
                     const std::string& unpacks_to = "") const {
    write_bytes(folder / "original", bytes);
    return {name,
            {"http://127.0.0.1:1/"},
            file_checksum(folder / "original", "sha256"),
            static_cast<std::int64_t>(bytes.size()),
            unpacks_to};
  }

  /// The bytes of an archive.
  std::string archive(const std::vector<ArchiveEntry>& entries) const {
    write_archive(folder / "original", entries);
    return read_text(folder / "original");
  }

  bool run(const HttpServer& server) {
    options.source = server.address();
    return fetch(dataset, data, options, notes);
  }

  void expect_failure(const HttpServer& server, const std::vector<std::string>& parts) {
    try {
      run(server);
      ADD_FAILURE() << "no error about " << parts.front();
    } catch (const Error& error) {
      for (const auto& part : parts) {
        EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      }
    }
  }

  std::vector<std::string> names_in_folder() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(data)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }

  TemporaryFolder folder;
  fs::path data = folder / "data";
  DatasetEntry dataset{"test", "", true, nullptr, nullptr, {}};
  FetchOptions options;
  Notes notes;
};

TEST_F(FetchFiles, DownloadsChecksAndUnpacks) {
  const std::string packed = archive({{"set/one.bin", "1"}, {"set/two.bin", "2"}});
  dataset.files = {file("plain.bin", "plain"), file("set.tar.gz", packed, "set")};
  const HttpServer server(ServedFiles{{"plain.bin", "plain"}, {"set.tar.gz", packed}});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(names_in_folder(), (std::vector<std::string>{"plain.bin", "set"}));
  EXPECT_EQ(read_text(data / "plain.bin"), "plain");
  EXPECT_EQ(read_text(data / "set/two.bin"), "2");
  EXPECT_TRUE(run(server));
  EXPECT_EQ(server.requests().size(), 2U) << "what is there is not fetched again";
  EXPECT_NE(notes.all.find("already exists"), std::string::npos);
}

TEST_F(FetchFiles, AsksThePublishersInTurn) {
  const HttpServer server(ServedFiles{{"plain.bin", "plain"}});
  dataset.files = {file("plain.bin", "plain")};
  dataset.files[0].addresses = {server.address() + "moved/", server.address()};
  EXPECT_TRUE(fetch(dataset, data, options, notes));
  EXPECT_EQ(read_text(data / "plain.bin"), "plain");
  EXPECT_NE(notes.all.find("404"), std::string::npos) << notes.all;
}

TEST_F(FetchFiles, GoesOnWhereItWasCut) {
  const std::string bytes = counting_bytes(300000);
  dataset.files = {file("plain.bin", bytes)};
  const HttpServer server(ServedFiles{{"plain.bin", bytes}}, {true, 100000, 1});
  expect_failure(server, {"plain.bin"});
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"plain.bin.part"});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(data / "plain.bin"), bytes);
  EXPECT_EQ(server.requests().back(), "plain.bin from 100000");
}

TEST_F(FetchFiles, KeepsAsideWhatHasAnotherChecksum) {
  dataset.files = {file("plain.bin", "plain")};
  const HttpServer server(ServedFiles{{"plain.bin", "plAin"}});
  expect_failure(server, {server.address() + "plain.bin", "checksum", dataset.files[0].checksum,
                          "plain.bin.rejected"});
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"plain.bin.rejected"});
  const HttpServer honest(ServedFiles{{"plain.bin", "plain"}});
  EXPECT_TRUE(run(honest));
}

TEST_F(FetchFiles, LeavesAloneWhatIsThereWithAnotherChecksum) {
  dataset.files = {file("plain.bin", "plain")};
  write_bytes(data / "plain.bin", "mine");
  const HttpServer server(ServedFiles{{"plain.bin", "plain"}});
  expect_user_error([&] { run(server); }, {(data / "plain.bin").string(), "checksum", "move it"});
  EXPECT_EQ(read_text(data / "plain.bin"), "mine");
}

TEST_F(FetchFiles, WritesNothingOfAnArchiveThatLeadsOut) {
  const std::string inside = (folder / "escaped").string();
  for (const auto& entry : std::vector<ArchiveEntry>{
           {"../../escaped", "x"}, {inside, "x"}, {"set/link", "", folder.path().string()}}) {
    const std::string packed = archive({{"set/one.bin", "1"}, entry});
    dataset.files = {file("set.tar.gz", packed, "set")};
    const HttpServer server(ServedFiles{{"set.tar.gz", packed}});
    expect_user_error([&] { run(server); }, {"set.tar.gz", entry.name});
    EXPECT_EQ(names_in_folder(), std::vector<std::string>{"set.tar.gz.part"});
    EXPECT_FALSE(fs::exists(folder / "escaped"));
    fs::remove(data / "set.tar.gz.part");
  }
}

TEST_F(FetchFiles, RefusesAnArchiveOfSomethingElse) {
  const std::string packed = archive({{"other/one.bin", "1"}});
  dataset.files = {file("set.tar.gz", packed, "set")};
  const HttpServer server(ServedFiles{{"set.tar.gz", packed}});
  expect_user_error([&] { run(server); }, {"set.tar.gz", "no folder 'set'"});
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"set.tar.gz.part"});
}

TEST_F(FetchFiles, FetchesOptionalFilesWhereAsked) {
  dataset.files = {file("plain.bin", "plain"), file("extra.bin", "extra")};
  dataset.files[1].optional = true;
  const HttpServer server(ServedFiles{{"plain.bin", "plain"}, {"extra.bin", "extra"}});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"plain.bin"});
  options.optional_files = true;
  EXPECT_TRUE(run(server));
  EXPECT_EQ(names_in_folder(), (std::vector<std::string>{"extra.bin", "plain.bin"}));
}

TEST_F(FetchFiles, StopsWhenAskedAndGoesOnLater) {
  const std::string bytes = counting_bytes(100000);
  dataset.files = {file("plain.bin", bytes)};
  const HttpServer slow(ServedFiles{{"plain.bin", bytes}}, {true, -1, 0, /*slow=*/true});
  options.source = slow.address();
  int asked = 0;
  EXPECT_FALSE(fetch(dataset, data, options, notes, [&] { return ++asked > 3; }));
  EXPECT_EQ(names_in_folder(), std::vector<std::string>{"plain.bin.part"});
  const HttpServer server(ServedFiles{{"plain.bin", bytes}});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(data / "plain.bin"), bytes);
}

TEST_F(FetchFiles, SaysWhenThereIsNoRoom) {
  dataset.files = {file("plain.bin", "plain")};
  dataset.files[0].bytes = std::int64_t{1} << 60;
  const HttpServer server(ServedFiles{});
  expect_failure(server, {"no room", "plain.bin", "left"});
}

/// The program as users call it.
class FetchProgram : public ::testing::Test {
 protected:
  TemporaryFolder folder;
  std::string data = (folder / "data").string();
};

TEST_F(FetchProgram, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(run_program("data get cifar11").exit_code, 2);
  const ProgramResult verb = run_program("data gte mnist");
  EXPECT_EQ(verb.exit_code, 2);
  EXPECT_NE(verb.output.find("did you mean 'get'"), std::string::npos) << verb.output;
  const ProgramResult flag = run_program("data get mnist --sorce x");
  EXPECT_EQ(flag.exit_code, 2);
  EXPECT_NE(flag.output.find("did you mean '--source'"), std::string::npos) << flag.output;
  EXPECT_EQ(run_program("data get procedural").exit_code, 2);
}

TEST_F(FetchProgram, ReportsAnotherChecksum) {
  const HttpServer server(ServedFiles{{"cifar-10-binary.tar.gz", "not CIFAR-10"}});
  const ProgramResult result =
      run_program("data get cifar10 --data " + data + " --source " + server.address());
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_NE(result.output.find("c32a1d4ab5d03f1284b67883e8d87530"), std::string::npos)
      << result.output;
  EXPECT_TRUE(fs::exists(folder / "data/cifar-10-binary.tar.gz.rejected"));
}

TEST_F(FetchProgram, KeepsWhatArrivedWhenInterrupted) {
  const HttpServer server(ServedFiles{{"cifar-10-binary.tar.gz", counting_bytes(1000000)}},
                          {true, -1, 0, /*slow=*/true});
  const std::string part = data + "/cifar-10-binary.tar.gz.part";
  // The signal comes when the first bytes have arrived. Of what it runs behind itself a shell has
  // Ctrl-C's ignored.
  const ProgramResult result =
      run_program("data get cifar10 --data " + data + " --source " + server.address() +
                  " 2>&1 & job=$!; while [ ! -s " + part +
                  " ] && kill -0 $job; do sleep 0.05; done; kill -TERM $job; wait $job");
  EXPECT_EQ(result.exit_code, 143) << result.output;
  EXPECT_NE(result.output.find("run the same command to resume"), std::string::npos)
      << result.output;
  EXPECT_GT(fs::file_size(part), 0U);
}

TEST_F(FetchProgram, SaysWhenTheDiskIsFull) {
  const HttpServer server(ServedFiles{{"cifar-10-binary.tar.gz", counting_bytes(1000000)}});
  const std::string command = "sh -c 'trap \"\" XFSZ; ulimit -f 100; exec " + program() +
                              " data get cifar10 --data " + data + " --source " + server.address() +
                              " 2>&1'";
  ProgramResult result = run_program("--version >/dev/null; " + command);
  EXPECT_EQ(result.exit_code, 1) << result.output;
  EXPECT_NE(result.output.find("cannot download"), std::string::npos) << result.output;
  EXPECT_NE(result.output.find("File too large"), std::string::npos) << result.output;
  EXPECT_GT(fs::file_size(data + "/cifar-10-binary.tar.gz.part"), 0U) << "what has arrived stays";
}

#else

TEST(Fetch, SaysWhatItNeeds) {
  EXPECT_FALSE(can_fetch());
  const TemporaryFolder folder;
  Notes notes;
  expect_user_error([&] { fetch(dataset_registry().at("cifar10"), folder.path(), {}, notes); },
                    {"libcurl", "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz", "md5:"});
}

#endif

}  // namespace
}  // namespace mlaan::testing
