// The peak memory of a run's steps.
#pragma once

#include <mlaan/measure/memory.h>
#include <mlaan/train/state.h>

#include <torch/types.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>

namespace mlaan {

/// The peak of one process, less what was alive before the run.
class PeakMeter {
 public:
  explicit PeakMeter(torch::Device device)
      : device_(device), bytes_before_(measure::read_memory(device).live) {}

  /// Restarts the peak from the bytes that are alive now.
  void reset() const { measure::reset_peak(device_); }

  /// Updates the state's peaks, of the run and of its phase, with the peak since the last reset.
  void read_into(TrainingState& state, std::size_t phases) {
    const auto reading = measure::read_memory(device_);
    const std::int64_t peak = reading.peak - bytes_before_;
    state.phase_peaks.resize(phases, 0);
    auto& of_phase = state.phase_peaks[static_cast<std::size_t>(state.phase)];
    of_phase = std::max(of_phase, peak);
    own_ = std::max(own_, peak);
    if (peak <= state.peak_bytes) return;
    state.peak_bytes = peak;
    by_kind_ = reading.peak_by_kind;
  }

  /// The peak since this process began; that of the state may be from an earlier process.
  std::int64_t own() const { return own_; }
  /// Bytes by kind at the run's highest peak.
  const measure::BytesByKind& by_kind() const { return by_kind_; }

 private:
  torch::Device device_;
  std::int64_t bytes_before_;
  std::int64_t own_ = 0;
  measure::BytesByKind by_kind_{};
};

}  // namespace mlaan
