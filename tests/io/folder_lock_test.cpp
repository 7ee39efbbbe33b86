#include "io/folder_lock.h"

#include "support/errors.h"
#include "support/temporary_folder.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <optional>

namespace mlaan::testing {
namespace {

namespace fs = std::filesystem;

TEST(FolderLock, IsHeldByOne) {
  const TemporaryFolder folder;
  const fs::path run = folder / "runs/one";
  std::optional<FolderLock> lock(run);
  expect_user_error([&] { FolderLock second(run); },
                    {run.string(), "process " + std::to_string(getpid())});
  lock.reset();
  EXPECT_NO_THROW(FolderLock third(run));
  EXPECT_TRUE(fs::is_empty(run));
}

TEST(FolderLock, EndsWithTheProcess) {
  const TemporaryFolder folder;
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    [[maybe_unused]] const auto told = write(ready[1], "x", 1);
    pause();
    _exit(0);
  }
  char told = 0;
  ASSERT_EQ(read(ready[0], &told, 1), 1);
  expect_user_error([&] { FolderLock lock(folder.path()); }, {std::to_string(child)});
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
  EXPECT_TRUE(fs::exists(folder / ".lock")) << "left behind";
  EXPECT_NO_THROW(FolderLock lock(folder.path()));
  close(ready[0]);
  close(ready[1]);
}

}  // namespace
}  // namespace mlaan::testing
