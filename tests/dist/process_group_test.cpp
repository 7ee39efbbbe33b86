#include "support/errors.h"
#include "support/ranks.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <atomic>
#include <string>

namespace mlaan::testing {
namespace {

TEST(ProcessGroup, SumsBroadcastsAndGathers) {
  run_ranks(3, [](ProcessGroup& group) {
    const auto sums = torch::full({5}, group.rank() + 1, torch::kFloat64);
    const auto exchange = group.start_sum(sums, "a sum");
    exchange->wait();
    EXPECT_TRUE(torch::equal(sums, torch::full({5}, 6, torch::kFloat64)));
    EXPECT_EQ(group.highest(10 - group.rank(), "the highest"), 10);

    // Of types and layouts that Gloo by itself does not know.
    const auto rank_0 = torch::arange(24).reshape({1, 2, 3, 4}).to(torch::kBFloat16);
    auto maps = group.rank() == 0 ? rank_0.clone() : torch::zeros_like(rank_0);
    maps = maps.contiguous(torch::MemoryFormat::ChannelsLast);
    const auto flag = torch::tensor(group.rank() == 0);
    group.broadcast({maps, flag, torch::empty({0})}, "weights");
    EXPECT_TRUE(torch::equal(maps, rank_0));
    EXPECT_TRUE(flag.item<bool>());

    const auto texts = group.gather(std::string(static_cast<std::size_t>(group.rank()), 'x'), "t");
    EXPECT_EQ(texts, (std::vector<std::string>{"", "x", "xx"}));
    EXPECT_EQ(group.broadcast(std::to_string(group.rank()), "a text"), "0");
    EXPECT_GT(group.traffic().bytes, 0);
  });
}

TEST(ProcessGroup, WaitsForTheFirstForAsLongAsItWorks) {
  std::atomic<bool> done = false;
  // Longer than any operation may take.
  run_ranks(
      2,
      [&](ProcessGroup& group) {
        group.wait_for_first(
            [&] {
              std::this_thread::sleep_for(std::chrono::milliseconds(2500));
              done = true;
            },
            "something slow");
        EXPECT_TRUE(done);
      },
      /*timeout_seconds=*/2);
}

TEST(ProcessGroup, NamesWhatARankHasOtherwise) {
  const auto disagree = [](const std::vector<Agreed>& first, const std::vector<Agreed>& second) {
    run_ranks(2, [&](ProcessGroup& group) {
      check_agreement(group, group.rank() == 0 ? first : second);
    });
  };
  disagree({{"seed", "0"}, {"lr", "0.1"}}, {{"seed", "0"}, {"lr", "0.1"}});
  expect_user_error(
      [&] {
        disagree({{"seed", "0"}, {"lr", "0.1"}}, {{"seed", "0"}, {"lr", "0.2 = \n"}});
      },
      {"rank 1 (", "lr = 0.2", "rank 0 has 0.1"});
}

TEST(ProcessGroup, SaysWhyAnotherRankHasEndedAndEndsAsItDoes) {
  std::string message;
  int exit_code = 0;
  try {
    run_ranks(
        2,
        [](ProcessGroup& group) {
          const std::string why = "the disk is full";
          if (group.rank() == 1) {
            group.abandon(why, /*exit_code=*/2);
            throw UserError(why);
          }
          group.wait_for_first([] {}, "nothing");
          group.sum(torch::zeros({1}), "the sum of gradients");
        },
        /*timeout_seconds=*/6);
  } catch (const PeerError& error) {
    message = error.what();
    exit_code = error.exit_code();
  }
  EXPECT_EQ(exit_code, 2);
  EXPECT_NE(message.find("rank 1 ("), std::string::npos) << message;
  EXPECT_NE(message.find("ended: the disk is full"), std::string::npos) << message;
  EXPECT_NE(message.find("the sum of gradients"), std::string::npos) << message;
}

TEST(ProcessGroup, RanksThatDoNotComeAreNamed) {
  const RendezvousServer server;
  try {
    ProcessGroup group({"the test", 0, 3, 0, "127.0.0.1", server.port(), true, 0}, 1);
    FAIL();
  } catch (const PeerError& error) {
    const std::string message = error.what();
    EXPECT_NE(message.find("rank 1 of 3 has not connected within"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace mlaan::testing
