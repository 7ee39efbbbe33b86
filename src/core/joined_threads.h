// Threads that are joined by the destructor.
#pragma once

#include <mlaan/core/error.h>

#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace mlaan {

/// Threads that join() and the destructor join. The owner has to make the threads end, even if one
/// of them could not be started.
class JoinedThreads {
 public:
  JoinedThreads() = default;
  ~JoinedThreads() { join(); }
  JoinedThreads(const JoinedThreads&) = delete;
  JoinedThreads& operator=(const JoinedThreads&) = delete;

  /// \throws Error if the system cannot start the thread; those started before go on.
  template <class Work>
  void start(Work work) {
    try {
      threads_.emplace_back(std::move(work));
    } catch (const std::system_error& error) {
      throw Error("data-loading thread " + std::to_string(threads_.size() + 1) +
                  " could not be started (" + error.code().message() + "); use fewer workers");
    }
  }

  void join() {
    for (auto& thread : threads_) thread.join();
    threads_.clear();
  }
  bool empty() const { return threads_.empty(); }

 private:
  std::vector<std::thread> threads_;
};

}  // namespace mlaan
