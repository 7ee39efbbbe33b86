// Exact memory accounting: live and peak bytes, by kind, as the allocator sees them.
//
// On the CPU a counting allocator stands in front of LibTorch's own; it sees every tensor and every
// scratch buffer of LibTorch's kernels. On CUDA the caching allocator's statistics are read
// (allocated, not reserved). Not counted on either: the process itself (code, thread stacks, the
// CUDA context) and memory that did not come from LibTorch.
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <cstddef>
#include <cstdint>

namespace mlaan::measure {

/// What a block of memory holds. Blocks are `activations` (which includes kernels' scratch memory)
/// unless allocated within a MemoryKindScope or marked later.
enum class MemoryKind : std::uint8_t { activations, parameters, gradients, optimizer_state, data };
constexpr std::size_t memory_kind_count = 5;
using BytesByKind = std::array<std::int64_t, memory_kind_count>;

/// "activations", "parameters", …
const char* to_string(MemoryKind kind);

/// Puts the counting allocator in front of LibTorch's CPU allocator, for the rest of the process.
/// Call it first thing in `main`: before the first tensor, before the first thread. Calling it
/// again does nothing.
void install_counting_allocator();

/// Whether install_counting_allocator() was called.
bool counting_allocator_installed();

/// RAII guard: the calling thread's CPU allocations within the scope are of the given kind.
class MemoryKindScope {
 public:
  explicit MemoryKindScope(MemoryKind kind);
  ~MemoryKindScope();
  MemoryKindScope(const MemoryKindScope&) = delete;
  MemoryKindScope& operator=(const MemoryKindScope&) = delete;

 private:
  MemoryKind previous_;
};

/// Counts the storage of a tensor as another kind from now on. Does nothing for an undefined tensor
/// and for memory that is not counted.
void mark(const at::Tensor& tensor, MemoryKind kind);

/// Bytes at one moment. `live` and `peak` exclude the kind `data` - data sets and batches in a
/// loader's queue - so that they measure training alone and do not depend on how far a loader has
/// run ahead.
struct MemoryReading {
  std::int64_t live = 0;       ///< now
  std::int64_t peak = 0;       ///< highest since the last reset
  BytesByKind live_by_kind{};  ///< now; all zero on CUDA
  BytesByKind peak_by_kind{};  ///< at the moment of the peak; all zero on CUDA
};

/// Whether read_memory() can measure this device.
bool can_measure(at::Device device);

/// Live and peak bytes of a device; zeros if can_measure(device) is false.
MemoryReading read_memory(at::Device device);

/// Resets the peak to the bytes that are live now.
void reset_peak(at::Device device);

/// The highest resident set size of the process in bytes; 0 if the system does not report it.
std::int64_t process_peak_bytes();

}  // namespace mlaan::measure
