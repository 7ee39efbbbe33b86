// The allocator that counts live and peak bytes by kind.
#include "measure/counting_allocator.h"

#include "core/libtorch_compat.h"
#include "measure/machine_memory.h"

#include <pthread.h>

#include <atomic>
#include <mutex>
#include <unordered_map>
#include <utility>

namespace mlaan::measure {
namespace {

thread_local MemoryKind kind_of_thread = MemoryKind::activations;

std::size_t index(MemoryKind kind) {
  return static_cast<std::size_t>(kind);
}

/// The address, size and kind of every counted block, and the sums.
class Ledger {
 public:
  void add(const void* block, std::size_t bytes, MemoryKind kind) {
    const std::lock_guard<std::mutex> lock(mutex_);
    blocks_.emplace(block, Block{static_cast<std::int64_t>(bytes), kind});
    record(block, static_cast<std::int64_t>(bytes), kind);
    change(kind, static_cast<std::int64_t>(bytes));
  }

  void remove(const void* block) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = blocks_.find(block);
    // oneDNN looks up its allocator again when it frees, so a block may be older than this ledger.
    if (found == blocks_.end()) return;
    record(block, -found->second.bytes, found->second.kind);
    change(found->second.kind, -found->second.bytes);
    blocks_.erase(found);
  }

  void mark(const void* block, MemoryKind kind) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const auto found = blocks_.find(block);
    if (found == blocks_.end() || found->second.kind == kind) return;
    change(found->second.kind, -found->second.bytes);
    change(kind, found->second.bytes);
    found->second.kind = kind;
  }

  void reset_peak() {
    const std::lock_guard<std::mutex> lock(mutex_);
    take_peak();
  }

  /// Live bytes of all kinds, including data.
  std::int64_t live_bytes() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return reading_.live + reading_.live_by_kind.at(index(MemoryKind::data));
  }

  bool start_recording() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return !std::exchange(recording_, true);
  }

  void stop_recording() {
    const std::lock_guard<std::mutex> lock(mutex_);
    recording_ = false;
    recorded_.clear();
  }

  std::size_t recorded_count() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return recorded_.size();
  }

  AllocationTrace take_recorded() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(recorded_, {});
  }

  MemoryReading read() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return reading_;
  }

  void lock() { mutex_.lock(); }
  void unlock() { mutex_.unlock(); }

 private:
  struct Block {
    std::int64_t bytes;
    MemoryKind kind;
  };

  void record(const void* block, std::int64_t bytes, MemoryKind kind) {
    if (recording_ && kind != MemoryKind::data) recorded_.push_back({block, bytes});
  }

  void change(MemoryKind kind, std::int64_t bytes) {
    reading_.live_by_kind.at(index(kind)) += bytes;
    if (kind == MemoryKind::data) return;
    reading_.live += bytes;
    if (reading_.live > reading_.peak) take_peak();
  }

  void take_peak() {
    reading_.peak = reading_.live;
    reading_.peak_by_kind = reading_.live_by_kind;
  }

  std::mutex mutex_;
  std::unordered_map<const void*, Block> blocks_;
  MemoryReading reading_;
  bool recording_ = false;
  AllocationTrace recorded_;
};

/// Never destroyed: tensors may outlive main.
Ledger& ledger() {
  static auto* const instance = new Ledger;
  return *instance;
}

class CountingAllocator final : public compat::AllocatorBase {
 public:
  explicit CountingAllocator(c10::Allocator* next) : next_(next) { next_of_deleter() = next; }

  c10::DataPtr allocate_counted(std::size_t bytes) override {
    if (bytes == 0) return {nullptr, nullptr, &release, c10::Device(c10::kCPU)};
    refuse_beyond_machine(bytes);
    void* block = next_->raw_allocate(bytes);
    ledger().add(block, bytes, kind_of_thread);
    return {block, block, &release, c10::Device(c10::kCPU)};
  }

  c10::DeleterFnPtr raw_deleter() const override { return &release; }

 private:
  /// Linux overcommits memory, and kills a process that then writes to what does not exist.
  static void refuse_beyond_machine(std::size_t bytes) {
    constexpr std::size_t large = std::size_t{1} << 26;
    if (bytes < large) return;
    const std::int64_t left = machine_bytes() - ledger().live_bytes();
    TORCH_CHECK(static_cast<std::int64_t>(bytes) <= left,
                "not enough memory: you tried to allocate ", bytes, " bytes, where at most ", left,
                " are left of all that there is");
  }

  /// A deleter is a plain function, so it cannot get the underlying allocator from an object.
  static c10::Allocator*& next_of_deleter() {
    static c10::Allocator* next = nullptr;
    return next;
  }

  static void release(void* block) {
    if (block == nullptr) return;
    ledger().remove(block);
    next_of_deleter()->raw_deallocate(block);
  }

  c10::Allocator* next_;
};

std::atomic<bool> installed{false};

}  // namespace

void install_counting_allocator() {
  if (installed.exchange(true)) return;
  // A child that is forked while another thread holds the ledger's lock would deadlock.
  pthread_atfork([] { ledger().lock(); }, [] { ledger().unlock(); }, [] { ledger().unlock(); });
  constexpr std::uint8_t priority = 1;  // above LibTorch's own, which is 0
  c10::SetCPUAllocator(new CountingAllocator(c10::GetCPUAllocator()), priority);
}

bool counting_allocator_installed() {
  return installed;
}

MemoryReading read_counted() {
  return ledger().read();
}

void reset_counted_peak() {
  ledger().reset_peak();
}

void mark_counted(const void* block, MemoryKind kind) {
  ledger().mark(block, kind);
}

bool start_recording() {
  return ledger().start_recording();
}

void stop_recording() {
  ledger().stop_recording();
}

std::size_t recorded_count() {
  return ledger().recorded_count();
}

AllocationTrace take_recorded() {
  return ledger().take_recorded();
}

MemoryKind current_kind() {
  return kind_of_thread;
}

void set_current_kind(MemoryKind kind) {
  kind_of_thread = kind;
}

}  // namespace mlaan::measure
