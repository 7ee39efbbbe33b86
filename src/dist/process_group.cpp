// The process group of a training: collectives, sends, and the detection of lost ranks.
#include "core/libtorch_error.h"
#include "dist/meeting.h"
#include "dist/pulse.h"
#include "dist/rendezvous.h"
#include "measure/timing.h"

#include <mlaan/core/quantity.h>
#include <mlaan/dist/process_group.h>

// Standalone packages of LibTorch do not define the macros that they were built with.
#ifndef USE_C10D_GLOO
#define USE_C10D_GLOO
#endif
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>

#include <algorithm>
#include <array>
#include <cstring>
#include <numeric>
#include <thread>
#include <utility>

namespace mlaan {
namespace {

using std::chrono::milliseconds;

/// The part of a timeout that operations get; the rest is for finding out which rank is lost.
milliseconds time_of_operations(double timeout_seconds) {
  constexpr double to_find_out = 3;
  constexpr double least = 1;  // second, the resolution of LibTorch's store
  const double seconds = std::max({timeout_seconds - to_find_out, timeout_seconds / 2, least});
  return milliseconds(static_cast<std::int64_t>(1000 * seconds));
}

/// Gloo's message about a failed operation, in plain words.
std::string short_reason(const std::string& text) {
  const auto says = [&](const char* words) { return text.find(words) != std::string::npos; };
  if (says("losed by peer") || says("eset by peer") || says("ead error") || says("roken pipe")) {
    return "the connection was closed";
  }
  if (says("imed out") || says("imeout")) return "there was no answer in time";
  return first_line(text);
}

}  // namespace

class ProcessGroup::Implementation {
 public:
  Implementation(const RankEnvironment& place, double timeout_seconds)
      : place_(place), timeout_(time_of_operations(timeout_seconds)) {
    Rendezvous rendezvous = meet(place, timeout_);
    store_ = std::move(rendezvous.store);
    for (int r = 0; r < place.size; ++r) names_.push_back(name_of_rank(r));
    try {
      pulse_ = std::make_unique<Pulse>(store_, connect_store(place, timeout_), place.rank, names_);
      names_ = meet_all(store_, place, timeout_seconds, timeout_);
      pulse_->set_names(names_);
      connect(rendezvous.own_address);
    } catch (const PeerError& lost) {
      message_ = lost.what();
      abandon(message_, lost.exit_code());
      throw;
    } catch (const std::exception& error) {
      const EndReason found = pulse_ ? pulse_->find_reason() : EndReason{};
      note_reason(found, "rank 0 was lost, or the rendezvous",
                  "the connection of all ranks failed: " + short_reason(error.what()));
      const PeerError lost(message_, exit_code_);
      abandon(message_, lost.exit_code());
      throw lost;
    }
  }

  ~Implementation() {
    if (finished_) return;
    // Leaked, not destroyed: their threads may be blocked for ever.
    group_.release();
    store_.release();
  }

  Implementation(const Implementation&) = delete;
  Implementation& operator=(const Implementation&) = delete;

  c10::intrusive_ptr<c10d::Work> begin(
      const std::string& what,
      const std::function<c10::intrusive_ptr<c10d::Work>(c10d::ProcessGroupGloo&)>& operation,
      std::optional<int> other = {}) {
    // Only collectives are counted, since ranks take part in different numbers of other transfers.
    if (!other) pulse_->note_operation();
    try {
      return operation(*group_);
    } catch (const std::exception& error) {
      fail(what, error.what(), other);
    }
  }

  /// \param other rank at the other end of a send or receive; none: a collective.
  void wait(c10d::Work& work, const std::string& what, std::optional<int> other = {}) {
    const auto start = Clock::now();
    try {
      work.wait();
    } catch (const std::exception& error) {
      fail(what, error.what(), other);
    }
    traffic_.seconds += seconds_since(start);
  }

  /// Waits for a collective, and until the group's thread has dropped it and its tensors: what is
  /// counted as allocated must not depend on when that thread runs next.
  void wait_and_drop(const c10::intrusive_ptr<c10d::Work>& work, const std::string& what) {
    constexpr double longest_seconds = 0.02;
    wait(*work, what);
    const auto start = Clock::now();
    while (work.use_count() > 1 && seconds_since(start) < longest_seconds) {
      std::this_thread::yield();
    }
  }

  void run(
      const std::string& what,
      const std::function<c10::intrusive_ptr<c10d::Work>(c10d::ProcessGroupGloo&)>& operation) {
    wait_and_drop(begin(what, operation), what);
  }

  [[noreturn]] void fail(const std::string& what, const std::string& reason,
                         std::optional<int> other = {}) {
    if (message_.empty()) {
      note_reason(pulse_->find_reason(other), "a rank was lost",
                  what + " failed: " + short_reason(reason));
    }
    throw PeerError(message_, exit_code_);
  }

  void wait_for_first(const std::function<void()>& work, const std::string& what) {
    const std::string key = "done/" + std::to_string(++waits_for_first_);
    if (place_.rank == 0) {
      work();
      store_->set(key, std::vector<std::uint8_t>{1});
      return;
    }
    const auto start = Clock::now();
    const EndReason reason = pulse_->wait_for_first(key, timeout_);
    traffic_.seconds += seconds_since(start);
    if (reason.text.empty()) return;
    note_reason(reason, "", what + " was waited for");
    throw PeerError(message_, exit_code_);
  }

  void finish() {
    run("the end of the run", [](auto& group) { return group.barrier(); });
    pulse_->stop();
    finished_ = true;
    group_.reset();
    pulse_.reset();
    store_.reset();
  }

  bool abandon(const std::string& why, int exit_code) {
    if (finished_ || !pulse_) return true;
    pulse_->tell_end(why, exit_code);
    const bool said_already =
        message_.empty() && place_.rank != 0 && pulse_->is_told_by_rank_0(why);
    if (place_.rank == 0 && !place_.store_is_served) pulse_->let_others_end();
    return !said_already;
  }

  int next_tag_ = 0;
  RankEnvironment place_;
  milliseconds timeout_;
  std::string host_ = own_host();
  std::vector<std::string> names_;
  Traffic traffic_;

 private:
  /// \param otherwise the reason if no rank has stated one.
  void note_reason(const EndReason& found, const std::string& otherwise, const std::string& here) {
    exit_code_ = found.exit_code;
    message_ = (found.text.empty() ? otherwise : found.text) + "; here " + here;
  }

  void connect(const std::string& own_address) {
    auto options = c10d::ProcessGroupGloo::Options::create(timeout_);
    const char* interface = std::getenv("GLOO_SOCKET_IFNAME");
    options->devices.push_back(interface != nullptr
                                   ? c10d::ProcessGroupGloo::createDeviceForInterface(interface)
                                   : c10d::ProcessGroupGloo::createDeviceForHostname(own_address));
    options->threads = 2;
    group_ = c10::make_intrusive<c10d::ProcessGroupGloo>(store_, place_.rank, place_.size, options);
  }

  c10::intrusive_ptr<c10d::Store> store_;
  std::unique_ptr<Pulse> pulse_;
  c10::intrusive_ptr<c10d::ProcessGroupGloo> group_;
  std::string message_;           ///< about the rank that was lost
  std::optional<int> exit_code_;  ///< that the lost rank has announced
  std::int64_t waits_for_first_ = 0;
  bool finished_ = false;
};

ProcessGroup::ProcessGroup(const RankEnvironment& place, double timeout_seconds)
    : implementation_(std::make_unique<Implementation>(place, timeout_seconds)) {}
ProcessGroup::~ProcessGroup() = default;

const RankEnvironment& ProcessGroup::place() const {
  return implementation_->place_;
}
const std::string& ProcessGroup::host() const {
  return implementation_->host_;
}
std::string ProcessGroup::name_of(int rank) const {
  return implementation_->names_.at(static_cast<std::size_t>(rank));
}
Traffic ProcessGroup::traffic() const {
  return implementation_->traffic_;
}

std::unique_ptr<Exchange> ProcessGroup::start_sum(const torch::Tensor& tensor,
                                                  const std::string& what) {
  class Sum final : public Exchange {
   public:
    Sum(Implementation& group, c10::intrusive_ptr<c10d::Work> work, std::string sum_of)
        : group_(group), work_(std::move(work)), what_(std::move(sum_of)) {}
    bool is_done() override { return work_->isCompleted(); }
    void wait() override { group_.wait_and_drop(work_, what_); }

   private:
    Implementation& group_;
    c10::intrusive_ptr<c10d::Work> work_;
    std::string what_;
  };
  auto work = implementation_->begin(what, [&](auto& group) {
    std::vector<torch::Tensor> tensors{tensor};
    return group.allreduce(tensors);
  });
  // A ring all-reduce sends (n − 1)/n of the bytes twice: to sum, and to distribute the sums.
  const auto bytes = tensor.numel() * static_cast<std::int64_t>(tensor.element_size());
  implementation_->traffic_.bytes += 2 * bytes * (size() - 1) / size();
  return std::make_unique<Sum>(*implementation_, std::move(work), what);
}

namespace {

/// A send or receive between two ranks.
class Transfer final : public Exchange {
 public:
  using Wait = std::function<void(c10d::Work&)>;
  Transfer(c10::intrusive_ptr<c10d::Work> work, Wait wait)
      : work_(std::move(work)), wait_(std::move(wait)) {}
  bool is_done() override { return work_->isCompleted(); }
  void wait() override { wait_(*work_); }

 private:
  c10::intrusive_ptr<c10d::Work> work_;
  Wait wait_;
};

}  // namespace

std::unique_ptr<Exchange> ProcessGroup::start_send(const torch::Tensor& tensor, int to, int tag,
                                                   const std::string& what) {
  const std::string said = "sending " + what + " to " + name_of_rank(to);
  auto work = implementation_->begin(
      said,
      [&](auto& group) {
        std::vector<torch::Tensor> tensors{tensor};
        return group.send(tensors, to, tag);
      },
      to);
  implementation_->traffic_.bytes += static_cast<std::int64_t>(tensor.nbytes());
  return std::make_unique<Transfer>(std::move(work), [this, said, to](c10d::Work& started) {
    implementation_->wait(started, said, to);
  });
}

std::unique_ptr<Exchange> ProcessGroup::start_receive(const torch::Tensor& tensor, int from,
                                                      int tag, const std::string& what) {
  const std::string said = "receiving " + what + " from " + name_of_rank(from);
  auto work = implementation_->begin(
      said,
      [&](auto& group) {
        std::vector<torch::Tensor> tensors{tensor};
        return group.recv(tensors, from, tag);
      },
      from);
  return std::make_unique<Transfer>(std::move(work), [this, said, from](c10d::Work& started) {
    implementation_->wait(started, said, from);
  });
}

int ProcessGroup::reserve_tags(int count) {
  return std::exchange(implementation_->next_tag_, implementation_->next_tag_ + count);
}

void ProcessGroup::sum(const torch::Tensor& tensor, const std::string& what) {
  start_sum(tensor, what)->wait();
}

std::int64_t ProcessGroup::highest(std::int64_t number, const std::string& what) {
  std::vector<torch::Tensor> tensors{torch::tensor({number}, torch::kInt64)};
  c10d::AllreduceOptions options;
  options.reduceOp = c10d::ReduceOp::MAX;
  implementation_->run(what, [&](auto& group) { return group.allreduce(tensors, options); });
  return tensors[0].item<std::int64_t>();
}

void ProcessGroup::broadcast(const std::vector<torch::Tensor>& tensors, const std::string& what,
                             int root) {
  // Sent as bytes, because Gloo supports neither all types nor all layouts.
  const torch::NoGradGuard no_grad;
  std::vector<torch::Tensor> values;
  std::int64_t count = 0;
  for (const auto& tensor : tensors) {
    values.push_back(tensor.detach().cpu().contiguous());
    count += static_cast<std::int64_t>(values.back().nbytes());
  }
  std::vector<torch::Tensor> bytes{torch::empty({count}, torch::kUInt8)};
  auto* next = bytes[0].data_ptr<std::uint8_t>();
  for (const auto& value : values) {
    if (value.nbytes() > 0) std::memcpy(next, value.data_ptr(), value.nbytes());
    next += value.nbytes();
  }
  c10d::BroadcastOptions options;
  options.rootRank = root;
  implementation_->run(what, [&](auto& group) { return group.broadcast(bytes, options); });
  if (rank() == root) return;
  next = bytes[0].data_ptr<std::uint8_t>();
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    torch::Tensor value = torch::empty_like(values[i]);
    if (value.nbytes() > 0) std::memcpy(value.data_ptr(), next, value.nbytes());
    next += value.nbytes();
    tensors[i].detach().copy_(value);
  }
}

std::vector<std::string> ProcessGroup::gather(const std::string& text, const std::string& what) {
  const auto length = static_cast<std::int64_t>(text.size());
  const std::int64_t longest = highest(length, what);
  constexpr std::int64_t prefix = sizeof(std::int64_t);
  std::vector<torch::Tensor> own{torch::zeros({prefix + longest}, torch::kUInt8)};
  std::memcpy(own[0].data_ptr(), &length, prefix);
  std::memcpy(own[0].data_ptr<std::uint8_t>() + prefix, text.data(), text.size());
  std::vector<std::vector<torch::Tensor>> all(1);
  for (int r = 0; r < size(); ++r) all[0].push_back(torch::empty_like(own[0]));
  implementation_->run(what, [&](auto& group) { return group.allgather(all, own); });
  implementation_->traffic_.bytes += static_cast<std::int64_t>(own[0].nbytes()) * (size() - 1);
  std::vector<std::string> texts;
  for (const auto& tensor : all[0]) {
    const auto* bytes = tensor.data_ptr<std::uint8_t>();
    std::int64_t size_of_text = 0;
    std::memcpy(&size_of_text, bytes, prefix);
    texts.emplace_back(reinterpret_cast<const char*>(bytes) + prefix,
                       static_cast<std::size_t>(size_of_text));
  }
  return texts;
}

std::string ProcessGroup::broadcast(const std::string& text, const std::string& what) {
  return gather(rank() == 0 ? text : "", what).front();
}

void ProcessGroup::wait_for_first(const std::function<void()>& work, const std::string& what) {
  implementation_->wait_for_first(work, what);
}

void ProcessGroup::finish() {
  implementation_->finish();
}

bool ProcessGroup::abandon(const std::string& why, int exit_code) {
  return implementation_->abandon(why, exit_code);
}

}  // namespace mlaan
