#include <mlaan/train/signals.h>

#include <gtest/gtest.h>

#include <csignal>

namespace mlaan::testing {
namespace {

struct sigaction action_of(int signal) {
  struct sigaction action {};
  sigaction(signal, nullptr, &action);
  return action;
}

TEST(StopSignals, AskForAStopOrACheckpoint) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const StopSignals signals;
    EXPECT_FALSE(StopSignals::requested());
    std::raise(signal);
    EXPECT_EQ(StopSignals::received(), signal);
    EXPECT_EQ(StopSignals::exit_code(), 128 + signal);
    // The second SIGINT or SIGTERM ends the process; SIGHUP comes twice by itself.
    EXPECT_EQ(action_of(signal).sa_handler == SIG_DFL, signal != SIGHUP);
  }
  const StopSignals signals;
  EXPECT_FALSE(StopSignals::take_save_request());
  for (int again = 0; again < 2; ++again) {
    std::raise(SIGUSR1);
    EXPECT_TRUE(StopSignals::take_save_request());
    EXPECT_FALSE(StopSignals::take_save_request()) << "once for each";
  }
  EXPECT_FALSE(StopSignals::requested());
}

TEST(StopSignals, WhatIsIgnoredStaysIgnored) {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  struct sigaction before {};
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    sigaction(signal, &ignore, &before);
    {
      const StopSignals signals;
      EXPECT_EQ(action_of(signal).sa_handler, SIG_IGN);
      std::raise(signal);
      EXPECT_FALSE(StopSignals::requested());
      EXPECT_FALSE(StopSignals::take_save_request());
    }
    EXPECT_EQ(action_of(signal).sa_handler, SIG_IGN);
    sigaction(signal, &before, nullptr);
  }
  EXPECT_EQ(action_of(SIGPIPE).sa_handler, SIG_DFL);
  const StopSignals signals;
  EXPECT_EQ(action_of(SIGPIPE).sa_handler, SIG_IGN);
}

}  // namespace
}  // namespace mlaan::testing
