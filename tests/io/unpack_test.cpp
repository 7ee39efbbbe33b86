#ifdef MLAAN_HAS_DOWNLOAD
#include "support/archive_writer.h"
#include "support/errors.h"
#include "support/files.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/unpack.h>

#include <gtest/gtest.h>

#include <cstdlib>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

class Unpack : public ::testing::Test {
 protected:
  bool run(std::int64_t most_bytes = 1 << 20) const {
    return unpack(archive, target, most_bytes, [] { return false; });
  }

  /// Expects that the archive is refused, and that nothing was written outside of the folder.
  void expect_refused(const std::vector<ArchiveEntry>& entries,
                      const std::vector<std::string>& parts) const {
    write_archive(archive, entries);
    std::vector<std::string> all = parts;
    all.push_back(archive.string());
    expect_user_error([&] { run(); }, all);
    fs::remove_all(target);
    for (const auto& entry : fs::directory_iterator(folder.path())) {
      EXPECT_EQ(entry.path(), archive);
    }
  }

  TemporaryFolder folder;
  fs::path archive = folder / "archive.tar.gz";
  fs::path target = folder / "target";
};

TEST_F(Unpack, WritesFilesAndFolders) {
  const std::string large = counting_bytes(200000);
  write_archive(archive, {{"set", "", "", "", AE_IFDIR},
                          {"set/one.bin", large},
                          {"./set/deep/er/two.txt", "two"},
                          {"set/empty", ""}});
  EXPECT_TRUE(run());
  EXPECT_EQ(read_text(target / "set/one.bin"), large);
  EXPECT_EQ(read_text(target / "set/deep/er/two.txt"), "two");
  EXPECT_EQ(fs::file_size(target / "set/empty"), 0U);
  EXPECT_EQ(fs::status(target / "set/one.bin").permissions() & fs::perms::owner_exec,
            fs::perms::none);
}

TEST_F(Unpack, RefusesPathsThatLeadOut) {
  expect_refused({{"../escaped", "x"}}, {"'../escaped'", "leads out"});
  expect_refused({{"set/ok", "x"}, {"set/../../escaped", "x"}}, {"leads out"});
  expect_refused({{"set/..", "", "", "", AE_IFDIR}}, {"leads out"});
  const std::string absolute = (folder / "escaped").string();
  expect_refused({{absolute, "x"}}, {absolute, "absolute path"});
}

TEST_F(Unpack, RefusesLinks) {
  expect_refused({{"out", "", folder.path().string()}, {"out/escaped", "x"}}, {"'out'", "link"});
  expect_refused({{"inside", "", "set"}}, {"'inside'", "link"});
  expect_refused({{"set/one", "x"}, {"set/two", "", "", "set/one"}}, {"'set/two'", "link"});
  expect_refused({{"set/one", "", "", "/etc/passwd"}}, {"link"});
}

TEST_F(Unpack, RefusesOddEntries) {
  expect_refused({{"pipe", "", "", "", AE_IFIFO}}, {"'pipe'", "neither a file nor a folder"});
  expect_refused({{"set/one", "1"}, {"set/./one", "2"}}, {"set/one", "twice"});
}

TEST_F(Unpack, RefusesMoreBytesThanAllowed) {
  write_archive(archive, {{"one", std::string(600, 'x')}, {"two", std::string(600, 'x')}});
  expect_user_error([&] { run(1000); }, {archive.string(), "more than"});
  fs::remove_all(target);
  EXPECT_TRUE(run(1200));
}

TEST_F(Unpack, RefusesDamagedArchives) {
  std::string noise;
  for (unsigned i = 0; i < 100000; ++i) noise.push_back(static_cast<char>(i * i >> 3 & 255));
  write_archive(archive, {{"set/one", noise}});
  const std::string whole = read_text(archive);
  for (const std::size_t size : {whole.size() / 2, std::size_t{20}, std::size_t{0}}) {
    write_bytes(archive, whole.substr(0, size));
    expect_user_error([&] { run(); }, {archive.string(), "damaged"});
    fs::remove_all(target);
  }
  write_bytes(archive, "no archive at all, but a page that says 'not found'");
  expect_user_error([&] { run(); }, {archive.string(), "damaged"});
}

TEST_F(Unpack, StartsNoPrograms) {
  // A program of PATH that libarchive would unpack such a file by.
  const fs::path marker = folder / "started";
  write_bytes(folder / "lrzip", "#!/bin/sh\ntouch " + marker.string() + "\n");
  fs::permissions(folder / "lrzip", fs::perms::owner_all);
  const std::string path = std::getenv("PATH");
  setenv("PATH", (folder.path().string() + ":" + path).c_str(), 1);
  write_bytes(archive, std::string("LRZI\0\6", 6) + std::string(2000, '\0'));
  expect_user_error([&] { run(); }, {archive.string(), "damaged"});
  setenv("PATH", path.c_str(), 1);
  EXPECT_FALSE(fs::exists(marker));
}

TEST_F(Unpack, StopsWhenAsked) {
  write_archive(archive, {{"one", "1"}, {"two", "2"}});
  EXPECT_FALSE(unpack(archive, target, 1000, [] { return true; }));
}

}  // namespace
}  // namespace mlaan::testing
#endif
