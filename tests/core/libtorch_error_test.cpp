#include "core/libtorch_error.h"

#include "support/errors.h"

#include <torch/torch.h>

#include <gtest/gtest.h>

namespace mlaan::testing {
namespace {

/// Expects one line of an Error that is no UserError.
void expect_error(const std::function<void()>& action, const std::vector<std::string>& parts) {
  try {
    action();
  } catch (const UserError& error) {
    FAIL() << error.what();
  } catch (const Error& error) {
    const std::string what = error.what();
    EXPECT_EQ(what.find('\n'), std::string::npos) << what;
    for (const auto& part : parts) EXPECT_NE(what.find(part), std::string::npos) << what;
    return;
  }
  ADD_FAILURE() << "no error";
}

/// What LibTorch throws, explained.
void explain(const std::function<void()>& action) {
  try {
    action();
  } catch (const c10::Error& error) {
    throw_explained(error, "run 1: ");
  }
}

TEST(LibtorchError, ABatchOfOneUnderBatchNormIsTheInputsFault) {
  expect_user_error(
      [] { explain([] {
             torch::nn::BatchNorm1d(4)->forward(torch::ones({1, 4}));
           }); },
      {"run 1: ", "batch normalisation", "batch_size of at least 2"});
}

TEST(LibtorchError, MemoryThatRunsOutIsNamedWithItsBytes) {
  expect_error([] { explain([] { torch::empty({std::int64_t{1} << 44}, torch::kUInt8); }); },
               {"run 1: memory ran out where 16", " TiB more were asked for", "batch_size"});
  expect_error(
      [] { explain([] {
             torch::empty({std::int64_t{1} << 40, std::int64_t{1} << 40});
           }); },
      {"memory ran out"});
  expect_error(
      [] {
        throw_explained(
            std::string("CUDA out of memory. Tried to allocate 2.00 GiB (GPU 0; 15 GiB "
                        "total capacity)"));
      },
      {"memory ran out where 2.00 GiB more were asked for"});
}

TEST(LibtorchError, AllElseIsItsFirstLine) {
  expect_error([] { explain([] {
                      torch::ones({2, 3}).mm(torch::ones({2, 3}));
                    }); },
               {"run 1: LibTorch says: mat1 and mat2"});
  EXPECT_EQ(first_line("\n  [enforce fail at alloc.cpp:66] . why it failed\nframe #0: f"),
            "why it failed");
  EXPECT_EQ(first_line("The following operation failed in the interpreter.\nTraceback:\n  a\n"
                       "RuntimeError: sizes differ\n"),
            "sizes differ");
}

}  // namespace
}  // namespace mlaan::testing
