// The allocator that counts: bytes by kind, now and at the highest.
#pragma once

#include <mlaan/measure/allocation_trace.h>
#include <mlaan/measure/memory.h>

#include <cstddef>

namespace mlaan::measure {

/// Counts of all blocks handed out by the counting allocator so far; safe to call at any time.
MemoryReading read_counted();
void reset_counted_peak();
/// Moves a live block to another kind; unknown pointers are let pass.
void mark_counted(const void* block, MemoryKind kind);

/// Begins to record allocations and frees; false where that has begun already.
bool start_recording();
void stop_recording();
std::size_t recorded_count();
AllocationTrace take_recorded();

/// The kind that the calling thread allocates at present.
MemoryKind current_kind();
void set_current_kind(MemoryKind kind);

}  // namespace mlaan::measure
