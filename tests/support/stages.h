// Stages of a training as threads of a test, which take turns.
#pragma once

#include <mlaan/local/stage_transport.h>

#include <torch/torch.h>

#include <algorithm>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace mlaan::testing {

/// Queues between stages of which one runs at a time: layers draw from one generator. A stage hands
/// its turn on where it has to wait, to the one that is due by chance.
class StageQueues {
 public:
  explicit StageQueues(std::size_t stages) : alive_(stages) {}

  void begin_turn() { mutex_.lock(); }
  /// \param failed so that nobody waits for it for ever.
  void end(bool failed) {
    --alive_;
    failed_ = failed_ || failed;
    changed_.notify_all();
    mutex_.unlock();
  }

  void send(const StageMessage& message, const StageChannel& channel) {
    StageMessage copy = message;
    if (copy.tensor.defined()) copy.tensor = message.tensor.detach().clone();
    sent_bytes += copy.tensor.defined() ? static_cast<std::int64_t>(copy.tensor.nbytes()) : 0;
    queues_[channel.number].push_back(std::move(copy));
    changed_.notify_all();
  }

  StageMessage receive(const StageChannel& channel) {
    std::unique_lock<std::mutex> lock(mutex_, std::adopt_lock);
    auto& queue = queues_[channel.number];
    const auto waits = waits_for_.insert(waits_for_.end(), &queue);
    changed_.notify_all();
    changed_.wait(lock, [&] { return !queue.empty() || failed_ || is_stuck(); });
    waits_for_.erase(waits);
    lock.release();
    if (queue.empty()) throw std::runtime_error("nobody sends " + channel.what);
    StageMessage message = std::move(queue.front());
    queue.pop_front();
    return message;
  }

  bool is_empty() const {
    for (const auto& entry : queues_) {
      if (!entry.second.empty()) return false;
    }
    return true;
  }

  std::int64_t sent_bytes = 0;

 private:
  using Queue = std::deque<StageMessage>;

  /// Whether all that have not ended wait for each other.
  bool is_stuck() const {
    return waits_for_.size() == alive_ &&
           std::all_of(waits_for_.begin(), waits_for_.end(),
                       [](const Queue* queue) { return queue->empty(); });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t alive_;
  std::list<const Queue*> waits_for_;
  bool failed_ = false;
  std::map<std::size_t, Queue> queues_;
};

class QueueTransport final : public StageTransport {
 public:
  explicit QueueTransport(StageQueues& queues) : queues_(queues) {}
  void send(const StageMessage& message, const StageChannel& channel) override {
    queues_.send(message, channel);
  }
  StageMessage receive(const StageChannel& channel) override { return queues_.receive(channel); }

 private:
  StageQueues& queues_;
};

/// Does the work of each stage in a thread of its own. What one throws is thrown once all have
/// ended.
inline void run_stages(std::size_t stages, StageQueues& queues,
                       const std::function<void(std::size_t stage)>& work) {
  std::vector<std::exception_ptr> errors(stages);
  std::vector<std::thread> threads;
  for (std::size_t stage = 0; stage < stages; ++stage) {
    threads.emplace_back([&, stage] {
      queues.begin_turn();
      try {
        work(stage);
      } catch (...) {
        errors[stage] = std::current_exception();
      }
      queues.end(errors[stage] != nullptr);
    });
  }
  for (auto& thread : threads) thread.join();
  for (const auto& error : errors) {
    if (error) std::rethrow_exception(error);
  }
}

}  // namespace mlaan::testing
