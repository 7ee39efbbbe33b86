// The allocator that counts: bytes by kind, now and at the highest.
#pragma once

#include <mlaan/measure/memory.h>

#include <cstddef>

namespace mlaan::measure {

/// Counts of all blocks handed out by the counting allocator so far; safe to call at any time.
MemoryReading read_counted();
void reset_counted_peak();
/// Moves a live block to another kind; unknown pointers are let pass.
void mark_counted(const void* block, MemoryKind kind);

/// The kind that the calling thread allocates at present.
MemoryKind current_kind();
void set_current_kind(MemoryKind kind);

}  // namespace mlaan::measure
