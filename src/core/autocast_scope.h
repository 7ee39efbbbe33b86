// An RAII guard that sets LibTorch's autocast for a scope.
#pragma once

#include <mlaan/core/precision.h>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace mlaan {

/// The state of autocast on this thread for one kind of device.
struct AutocastState {
  /// The current state; disabled for kinds of devices that mlaan does not train on.
  static AutocastState of(c10::DeviceType device);

  bool enabled = false;
  c10::ScalarType dtype = c10::ScalarType::Float;  ///< meaningful only if enabled
};

/// Sets autocast until the end of the scope. The state is thread-local, so an autograd node that
/// runs layers again opens a scope of its own.
///
/// Autocast's cache of converted weights is disabled in the scope: it would hold the weights of all
/// modules until somebody cleared it, and return outdated ones after a fused update. A module uses
/// each weight once per pass, so the cache would save nothing.
class AutocastScope {
 public:
  AutocastScope(c10::DeviceType device, const AutocastState& state);
  /// With Precision::float32, the current state stays.
  AutocastScope(c10::Device device, Precision precision);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;

 private:
  c10::DeviceType device_;
  AutocastState before_;
  c10::ScalarType dtype_before_;
  bool cache_before_;
};

}  // namespace mlaan
