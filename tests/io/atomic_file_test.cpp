#include "support/errors.h"
#include "support/temporary_folder.h"

#include <mlaan/io/atomic_file.h>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <fstream>
#include <thread>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

class AtomicFileTest : public ::testing::Test {
 protected:
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder.path()), {}));
  }

  TemporaryFolder folder;
};

TEST_F(AtomicFileTest, LinksAreWrittenThrough) {
  fs::create_directory(folder / "elsewhere");
  write_text(folder / "elsewhere/real.json", "old");
  fs::create_symlink("elsewhere/real.json", folder / "link.json");
  fs::create_symlink(folder / "link.json", folder / "second.json");
  write_text(folder / "second.json", "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link.json"));
  EXPECT_TRUE(fs::is_symlink(folder / "second.json"));
  EXPECT_EQ(read_text(folder / "elsewhere/real.json"), "new");

  fs::create_symlink("elsewhere/none.json", folder / "dangling.json");
  write_text(folder / "dangling.json", "made");
  EXPECT_TRUE(fs::is_symlink(folder / "dangling.json"));
  EXPECT_EQ(read_text(folder / "elsewhere/none.json"), "made");

  fs::create_symlink("circle", folder / "circle");
  expect_user_error([&] { write_text(folder / "circle", "x"); }, {"circle", "itself"});
}

TEST_F(AtomicFileTest, PipesAndDevicesStay) {
  ASSERT_EQ(mkfifo((folder / "pipe").c_str(), 0600), 0);
  std::string received;
  std::thread reader([&] {
    std::ifstream pipe(folder / "pipe");
    std::getline(pipe, received);
  });
  write_text(folder / "pipe", "through the pipe\n");
  reader.join();
  EXPECT_EQ(received, "through the pipe");
  EXPECT_TRUE(fs::is_fifo(folder / "pipe"));

  write_text("/dev/null", "nothing");
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  EXPECT_THROW(write_text("/dev/full", "nothing"), Error);
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
}

TEST_F(AtomicFileTest, OpenFilesAreWrittenToAsTheyAre) {
  const int open_file = open((folder / "out").c_str(), O_RDWR | O_CREAT, 0600);
  ASSERT_GE(open_file, 0);
  ASSERT_EQ(write(open_file, "before ", 7), 7);
  write_text("/proc/self/fd/" + std::to_string(open_file), "after");
  close(open_file);
  EXPECT_EQ(read_text(folder / "out"), "before after");
}

TEST_F(AtomicFileTest, FoldersAreRefusedAndPermissionsKept) {
  expect_user_error([&] { write_text(folder.path(), "x"); }, {"is a folder"});
  write_text(folder / "secret", "old");
  ASSERT_EQ(chmod((folder / "secret").c_str(), 0600), 0);
  write_text(folder / "secret", "new");
  EXPECT_EQ(fs::status(folder / "secret").permissions(), fs::perms(0600));
  EXPECT_EQ(files(), 1U);
}

TEST_F(AtomicFileTest, TheLongestNamesThatThereAreCanBeWritten) {
  const std::string name(255, 'n');
  write_text(folder / name, "text");
  EXPECT_EQ(read_text(folder / name), "text");
}

TEST_F(AtomicFileTest, WhatKilledProcessesLeftIsRemovedAndNothingElse) {
  AtomicFile alive(folder / "alive.safetensors");
  for (const char* name :
       {"last.safetensors.123.part", "x.4.part", "x.part", "x.4a.part", "part"}) {
    std::ofstream(folder / name) << "half";
  }
  remove_abandoned_parts(folder.path());
  EXPECT_EQ(files(), 4U) << "three of other names, and one that is being written";
  EXPECT_FALSE(fs::exists(folder / "last.safetensors.123.part"));
  alive.write("all", 3);
  alive.commit();
  EXPECT_EQ(read_text(folder / "alive.safetensors"), "all");
}

}  // namespace
}  // namespace mlaan::testing
