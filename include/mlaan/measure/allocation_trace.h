// Allocation traces: every block that was allocated and freed, in order, and what that would have
// been for a batch of another size.
#pragma once

#include <mlaan/measure/memory.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mlaan::measure {

/// A block allocated or freed. Blocks of MemoryKind::data are left out.
struct AllocationEvent {
  const void* block = nullptr;
  std::int64_t bytes = 0;  ///< negative when freed
};

using AllocationTrace = std::vector<AllocationEvent>;

/// Records what the counting allocator does, on the CPU and in all threads, from its construction
/// on. One recorder at a time.
class AllocationRecorder {
 public:
  /// \throws Error where the counting allocator is not installed, or another recorder is at work.
  AllocationRecorder();
  ~AllocationRecorder();
  AllocationRecorder(const AllocationRecorder&) = delete;
  AllocationRecorder& operator=(const AllocationRecorder&) = delete;

  /// Number of events so far.
  std::size_t size() const;
  /// The events since construction, or since the last call.
  AllocationTrace take() const;
};

/// Bytes above those at the begin, after each event.
std::vector<std::int64_t> levels(const AllocationTrace& trace);

/// The trace of a batch of `batch` images, from those of the same work on two smaller batches: each
/// block's size is a constant and a part for each image.
/// \throws Error where the two do not allocate and free the same blocks in the same order, so that
///         nothing can be said.
AllocationTrace extrapolate(const AllocationTrace& smaller, std::int64_t smaller_batch,
                            const AllocationTrace& larger, std::int64_t larger_batch,
                            std::int64_t batch);

}  // namespace mlaan::measure
