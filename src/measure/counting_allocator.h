// The allocator that counts live and peak bytes by kind.
#pragma once

#include <mlaan/measure/allocation_trace.h>
#include <mlaan/measure/memory.h>

#include <cstddef>

namespace mlaan::measure {

/// Counts of all blocks that the counting allocator has allocated; safe to call at any time.
MemoryReading read_counted();
void reset_counted_peak();
/// Changes the kind of a live block; ignores unknown pointers.
void mark_counted(const void* block, MemoryKind kind);

/// Begins to record allocations and frees; false if they are being recorded already.
bool start_recording();
void stop_recording();
std::size_t recorded_count();
AllocationTrace take_recorded();

/// The kind of the calling thread's allocations.
MemoryKind current_kind();
void set_current_kind(MemoryKind kind);

}  // namespace mlaan::measure
