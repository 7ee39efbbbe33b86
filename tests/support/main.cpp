// Runs the tests with the counting allocator in place, each from the same random state: LibTorch
// seeds its generator from the clock. `--gtest_random_seed=N` tries others.
#include <mlaan/measure/memory.h>

#include <gtest/gtest.h>
#include <torch/torch.h>

namespace {

class SameRandomState : public ::testing::EmptyTestEventListener {
  void OnTestStart(const ::testing::TestInfo&) override {
    torch::manual_seed(static_cast<std::uint64_t>(GTEST_FLAG_GET(random_seed)));
  }
};

}  // namespace

int main(int argc, char** argv) {
  mlaan::measure::install_counting_allocator();
  ::testing::InitGoogleTest(&argc, argv);
  // GoogleTest owns and deletes it.
  ::testing::UnitTest::GetInstance()->listeners().Append(new SameRandomState);
  return RUN_ALL_TESTS();
}
