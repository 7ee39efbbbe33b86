#include "dist/stage_links.h"

#include "core/sole_owner.h"
#include "support/ranks.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <thread>
#include <vector>

namespace mlaan::testing {
namespace {

/// Of every layout that a boundary or a cotangent may have.
std::vector<torch::Tensor> messages() {
  torch::manual_seed(4);
  const auto maps = torch::randn({2, 3, 4, 4});
  return {maps,
          maps.contiguous(torch::MemoryFormat::ChannelsLast),
          torch::Tensor(),
          torch::randn({2, 3, 1, 1}).expand({2, 3, 4, 4}),
          maps.narrow(3, 1, 2),
          maps.to(torch::kBFloat16),
          torch::randn({64, 3, 16, 16}),
          torch::randn({5}),
          torch::tensor(7, torch::kInt64)};
}

TEST(StageLinks, BringEveryTensorAsItWas) {
  // Made once: ranks are threads here, which draw from the same generator.
  const auto expected = messages();
  run_ranks(2, [&](ProcessGroup& group) {
    StageLinks links(group);
    StageLinks later(group);
    const StageChannel there{3, 0, 1, "the output of module 1", 2};
    const StageChannel back{4, 1, 0, "the cotangent of module 1"};
    for (int round = 0; round < 3; ++round) {
      for (const auto& message : expected) {
        if (group.rank() == 0) {
          links.send({message, torch::kFloat32}, there);
          later.send({torch::ones({2}), torch::kFloat32}, there);
          continue;
        }
        const StageMessage received = links.receive(there);
        ASSERT_EQ(received.tensor.defined(), message.defined());
        EXPECT_EQ(received.dtype, torch::kFloat32);
        EXPECT_EQ(later.receive(there).tensor.sum().item<float>(), 2);
        if (!message.defined()) continue;
        EXPECT_EQ(received.tensor.scalar_type(), message.scalar_type());
        EXPECT_TRUE(torch::equal(received.tensor, message));
        if (message.is_non_overlapping_and_dense()) {
          EXPECT_EQ(received.tensor.strides(), message.strides());
          EXPECT_TRUE(is_sole_owner(received.tensor));
        }
        const bool repeats = message.dim() > 0 && message.stride(-1) == 0;
        EXPECT_TRUE(!repeats || received.tensor.strides() == message.strides());
      }
      // Both ways at once.
      if (group.rank() == 1) links.send({torch::full({1}, round), torch::kFloat32}, back);
      EXPECT_TRUE(group.rank() == 1 ||
                  links.receive(back).tensor.item<float>() == static_cast<float>(round));
    }
    const auto waited = group.traffic();
    EXPECT_EQ(waited.bytes > 10000, group.rank() == 0);
  });
}

TEST(StageLinks, NameWhatWasWaitedForInVain) {
  std::string message;
  EXPECT_THROW(run_ranks(
                   2,
                   [&](ProcessGroup& group) {
                     StageLinks links(group);
                     if (group.rank() == 0) {
                       // Lives, and sends nothing.
                       std::this_thread::sleep_for(std::chrono::seconds(8));
                       return;
                     }
                     try {
                       links.receive({1, 0, 1, "the output of module 4"});
                     } catch (const PeerError& error) {
                       message = error.what();
                       throw;
                     }
                   },
                   /*timeout_seconds=*/2),
               PeerError);
  EXPECT_NE(message.find("receiving the output of module 4 from rank 0"), std::string::npos)
      << message;
  EXPECT_NE(message.find("rank 0 ("), std::string::npos) << message;
}

}  // namespace
}  // namespace mlaan::testing
