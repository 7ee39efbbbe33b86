// Records every allocation and deallocation, and predicts them for other batch sizes.
#pragma once

#include <mlaan/measure/memory.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlaan::measure {

/// One allocation or deallocation. Blocks of MemoryKind::data are not recorded.
struct AllocationEvent {
  const void* block = nullptr;
  std::int64_t bytes = 0;  ///< size of the block; negative for a deallocation
};

using AllocationTrace = std::vector<AllocationEvent>;

/// Records the counting allocator's events, on the CPU and in all threads, while it exists. There
/// may be only one recorder at a time.
class AllocationRecorder {
 public:
  /// \throws Error if the counting allocator is not installed, or another recorder exists.
  AllocationRecorder();
  ~AllocationRecorder();
  AllocationRecorder(const AllocationRecorder&) = delete;
  AllocationRecorder& operator=(const AllocationRecorder&) = delete;

  /// Number of events so far.
  std::size_t size() const;
  /// The events since construction, or since the last call.
  AllocationTrace take() const;
};

/// Live bytes after each event, relative to the start of the trace.
std::vector<std::int64_t> levels(const AllocationTrace& trace);

/// Predicts the trace for a batch of `batch` images from traces of the same work on two smaller
/// batches. Each block's size is taken as a constant plus a number of bytes per image.
/// \throws Error if the two traces differ in their number of events, so that their blocks do not
///         correspond.
AllocationTrace extrapolate(const AllocationTrace& smaller, std::int64_t smaller_batch,
                            const AllocationTrace& larger, std::int64_t larger_batch,
                            std::int64_t batch);

}  // namespace mlaan::measure
