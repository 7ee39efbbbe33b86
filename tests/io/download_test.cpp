#ifdef MLAAN_HAS_DOWNLOAD
#include "support/errors.h"
#include "support/files.h"
#include "support/http_server.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>
#include <mlaan/io/checksum.h>
#include <mlaan/io/download.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(Checksum, IsThatOfThePublishedAlgorithms) {
  const TemporaryFolder folder;
  write_bytes(folder / "abc", "abc");  // RFC 1321, A.5, and FIPS 180-2, B.1
  EXPECT_EQ(file_checksum(folder / "abc", "md5"), "md5:900150983cd24fb0d6963f7d28e17f72");
  EXPECT_EQ(file_checksum(folder / "abc", "sha256"),
            "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  expect_user_error([&] { file_checksum(folder / "abc", "crc"); }, {"'crc'", "md5, sha256"});
  expect_user_error([&] { file_checksum(folder / "none", "md5"); }, {"none"});
  expect_user_error([&] { file_checksum(folder.path(), "md5"); }, {folder.path().string()});
}

class Download : public ::testing::Test {
 protected:
  Download() { options.wait = std::chrono::milliseconds(1); }

  bool run(const HttpServer& server, const std::string& name = "file") const {
    return download(server.address() + name, target, options,
                    [](std::int64_t, std::int64_t) { return true; });
  }

  /// Expects an Error that is no UserError.
  void expect_failure(const HttpServer& server, const std::string& name,
                      const std::string& part) const {
    try {
      run(server, name);
    } catch (const UserError& error) {
      FAIL() << error.what();
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find(server.address() + name), std::string::npos);
      return;
    }
    FAIL() << "no error";
  }

  TemporaryFolder folder;
  fs::path target = folder / "file.part";
  std::string content = counting_bytes(300000);
  DownloadOptions options;
};

TEST_F(Download, GetsAFile) {
  const HttpServer server(ServedFiles{{"file", content}});
  std::int64_t last = -1;
  EXPECT_TRUE(
      download(server.address() + "file", target, options, [&](std::int64_t done, std::int64_t) {
        EXPECT_GE(done, last);
        last = done;
        return true;
      }));
  EXPECT_EQ(read_text(target), content);
  EXPECT_EQ(last, 300000);
}

TEST_F(Download, GoesOnByItselfWhereTheConnectionWasCut) {
  const HttpServer server(ServedFiles{{"file", content}}, {true, 100000, 2});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(target), content);
  EXPECT_EQ(server.requests(),
            (std::vector<std::string>{"file from 0", "file from 100000", "file from 200000"}));
}

TEST_F(Download, GoesOnWithWhatAnEarlierOneLeft) {
  options.retries = 0;
  const HttpServer server(ServedFiles{{"file", content}}, {true, 100000, 1});
  expect_failure(server, "file", "");
  EXPECT_EQ(read_text(target), content.substr(0, 100000)) << "what has arrived stays";
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(target), content);
  EXPECT_EQ(server.requests().back(), "file from 100000");
}

TEST_F(Download, BeginsAgainWhereTheServerGivesNoParts) {
  write_bytes(target, "something else");
  const HttpServer server(ServedFiles{{"file", content}}, {/*gives_parts=*/false});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(target), content);
}

TEST_F(Download, GivesUpOnAServerThatBreaksOffAndGivesNoParts) {
  constexpr int always = 1000;
  for (const bool refuses_parts : {true, false}) {
    const HttpServer server(ServedFiles{{"file", content}},
                            {/*gives_parts=*/false, 100000, always, /*slow=*/false, refuses_parts});
    expect_failure(server, "file", "");
    EXPECT_LE(server.requests().size(), 2 * static_cast<std::size_t>(options.retries) + 2);
    fs::remove(target);
  }
}

TEST_F(Download, BeginsAgainWhereAPartIsNotSatisfiable) {
  write_bytes(target, "something else");
  const HttpServer server(ServedFiles{{"file", content}},
                          {/*gives_parts=*/true, -1, 0, /*slow=*/false, /*refuses_parts=*/true});
  EXPECT_TRUE(run(server));
  EXPECT_EQ(read_text(target), content);
}

TEST_F(Download, AsksForNothingWhereAllIsThere) {
  options.most_bytes = 300000;
  write_bytes(target, content);
  const HttpServer server(ServedFiles{{"file", content}});
  EXPECT_TRUE(run(server));
  EXPECT_TRUE(server.requests().empty());
}

TEST_F(Download, SaysWhatTheServerSays) {
  const HttpServer server(ServedFiles{{"file", content}});
  expect_failure(server, "missing", "404");
  EXPECT_EQ(server.requests().size(), 1U) << "of no use to ask again";
}

TEST_F(Download, RefusesMoreBytesThanTheFileHas) {
  options.most_bytes = 200000;
  const HttpServer server(ServedFiles{{"file", content}});
  expect_failure(server, "file", "more than the 200,000 bytes");
  EXPECT_LE(fs::file_size(target), 200000U);
}

TEST_F(Download, RefusesOtherProtocols) {
  write_bytes(folder / "secret", "x");
  EXPECT_THROW(download("file://" + (folder / "secret").string(), target, options,
                        [](std::int64_t, std::int64_t) { return true; }),
               Error);
  EXPECT_EQ(fs::file_size(target), 0U);
}

TEST_F(Download, StopsWhenAsked) {
  const HttpServer server(ServedFiles{{"file", content}}, {true, -1, 0, /*slow=*/true});
  EXPECT_FALSE(download(server.address() + "file", target, options,
                        [](std::int64_t done, std::int64_t) { return done < 500; }));
  EXPECT_LT(fs::file_size(target), content.size());
}

TEST_F(Download, LeavesAFileToTheProcessThatHasIt) {
  const HttpServer server(ServedFiles{{"file", content}});
  bool refused = false;
  EXPECT_TRUE(download(server.address() + "file", target, options, [&](std::int64_t, std::int64_t) {
    if (!refused) {
      expect_user_error([&] { run(server); }, {"another process"});
    }
    refused = true;
    return true;
  }));
  EXPECT_TRUE(refused);
  EXPECT_EQ(read_text(target), content);
}

TEST_F(Download, RefusesAFolderThatIsNotThere) {
  target = folder / "nowhere/file.part";
  const HttpServer server(ServedFiles{{"file", content}});
  expect_user_error([&] { run(server); }, {"cannot write", target.string()});
}

}  // namespace
}  // namespace mlaan::testing
#endif
