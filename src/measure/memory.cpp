// Exact memory accounting: live and peak bytes, by kind, as the allocator sees them.
#include "core/libtorch_compat.h"
#include "measure/counting_allocator.h"

#include <mlaan/measure/memory.h>

#include <c10/core/Storage.h>

#include <sys/resource.h>
#if MLAAN_HAS_DEVICE_ALLOCATOR
#include <c10/core/CachingDeviceAllocator.h>
#endif

namespace mlaan::measure {

const char* to_string(MemoryKind kind) {
  switch (kind) {
    case MemoryKind::activations:
      return "activations";
    case MemoryKind::parameters:
      return "parameters";
    case MemoryKind::gradients:
      return "gradients";
    case MemoryKind::optimizer_state:
      return "optimizer_state";
    case MemoryKind::data:
      return "data";
  }
  return "?";
}

MemoryKindScope::MemoryKindScope(MemoryKind kind) : previous_(current_kind()) {
  set_current_kind(kind);
}

MemoryKindScope::~MemoryKindScope() {
  set_current_kind(previous_);
}

void mark(const at::Tensor& tensor, MemoryKind kind) {
  if (tensor.defined() && tensor.device().is_cpu() && tensor.has_storage()) {
    mark_counted(tensor.storage().data_ptr().get(), kind);
  }
}

bool can_measure(at::Device device) {
  if (device.is_cpu()) return counting_allocator_installed();
  return MLAAN_HAS_DEVICE_ALLOCATOR != 0;
}

MemoryReading read_memory(at::Device device) {
  if (device.is_cpu()) return read_counted();
  MemoryReading reading;
#if MLAAN_HAS_DEVICE_ALLOCATOR
  const auto index = device.has_index() ? device.index() : c10::DeviceIndex{0};
  const auto stats = c10::getDeviceAllocator(device.type())->getDeviceStats(index);
  const auto& bytes = stats.allocated_bytes[0];  // 0: all pools together
  reading.live = bytes.current;
  reading.peak = bytes.peak;
#endif
  return reading;
}

void reset_peak(at::Device device) {
  if (device.is_cpu()) {
    reset_counted_peak();
    return;
  }
#if MLAAN_HAS_DEVICE_ALLOCATOR
  const auto index = device.has_index() ? device.index() : c10::DeviceIndex{0};
  c10::getDeviceAllocator(device.type())->resetPeakStats(index);
#endif
}

std::int64_t process_peak_bytes() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<std::int64_t>(usage.ru_maxrss) * 1024;
}

}  // namespace mlaan::measure
