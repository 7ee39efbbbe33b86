// Ranks of a process group as threads of a test.
#pragma once

#include <mlaan/dist/process_group.h>

#include <exception>
#include <thread>
#include <vector>

namespace mlaan::testing {

/// Does the work in so many threads, each a rank of one group. What one throws is thrown once all
/// have ended.
template <class Work>
void run_ranks(int size, const Work& work, double timeout_seconds = 60) {
  const RendezvousServer server;
  std::vector<std::exception_ptr> errors(static_cast<std::size_t>(size));
  std::vector<std::thread> threads;
  for (int rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        ProcessGroup group({"the test", rank, size, rank, "127.0.0.1", server.port(), true, 0},
                           timeout_seconds);
        work(group);
        group.finish();
      } catch (...) {
        errors[static_cast<std::size_t>(rank)] = std::current_exception();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace mlaan::testing
