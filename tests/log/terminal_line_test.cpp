#include "log/terminal_line.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace mlaan::testing {
namespace {

TEST(TerminalLine, RenewsItselfWhereTheTerminalCan) {
  const int controller = posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(controller, 0);
  ASSERT_EQ(grantpt(controller), 0);
  ASSERT_EQ(unlockpt(controller), 0);
  std::FILE* const terminal = fdopen(open(ptsname(controller), O_RDWR | O_NOCTTY), "w");
  ASSERT_NE(terminal, nullptr);
  setenv("TERM", "xterm", 1);
  EXPECT_TRUE(renews_lines(terminal));
  setenv("TERM", "dumb", 1);
  EXPECT_FALSE(renews_lines(terminal));
  unsetenv("TERM");
  EXPECT_FALSE(renews_lines(terminal));
  setenv("TERM", "xterm", 1);
  std::FILE* const file = std::tmpfile();
  EXPECT_FALSE(renews_lines(file));
  unsetenv("TERM");
  std::fclose(file);
  std::fclose(terminal);
  close(controller);
}

}  // namespace
}  // namespace mlaan::testing
