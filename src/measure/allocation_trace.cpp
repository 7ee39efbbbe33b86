// Records allocations and frees in order, and predicts them for batches of another size.
#include "measure/counting_allocator.h"

#include <mlaan/core/error.h>
#include <mlaan/measure/allocation_trace.h>

#include <utility>

namespace mlaan::measure {

AllocationRecorder::AllocationRecorder() {
  if (!counting_allocator_installed()) {
    throw Error("allocations cannot be recorded: the counting allocator is not installed");
  }
  if (!start_recording()) throw Error("allocations are being recorded already");
}

AllocationRecorder::~AllocationRecorder() {
  stop_recording();
}

std::size_t AllocationRecorder::size() const {
  return recorded_count();
}

AllocationTrace AllocationRecorder::take() const {
  return take_recorded();
}

std::vector<std::int64_t> levels(const AllocationTrace& trace) {
  std::vector<std::int64_t> levels;
  levels.reserve(trace.size());
  std::int64_t level = 0;
  for (const auto& event : trace) {
    level += event.bytes;
    levels.push_back(level);
  }
  return levels;
}

AllocationTrace extrapolate(const AllocationTrace& smaller, std::int64_t smaller_batch,
                            const AllocationTrace& larger, std::int64_t larger_batch,
                            std::int64_t batch) {
  if (smaller.size() != larger.size()) {
    throw Error("steps of " + std::to_string(smaller_batch) + " and " +
                std::to_string(larger_batch) + " images allocate differently (" +
                std::to_string(smaller.size()) + " and " + std::to_string(larger.size()) +
                " events), so that bytes of larger batches cannot be predicted");
  }
  AllocationTrace trace = larger;
  for (std::size_t i = 0; i < trace.size(); ++i) {
    const std::int64_t difference = larger[i].bytes - smaller[i].bytes;
    const double each =
        static_cast<double>(difference) / static_cast<double>(larger_batch - smaller_batch);
    trace[i].bytes += static_cast<std::int64_t>(each * static_cast<double>(batch - larger_batch));
  }
  return trace;
}

}  // namespace mlaan::measure
