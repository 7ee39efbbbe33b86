// LibTorch's autocast, switched on and off for a scope.
#pragma once

#include <mlaan/core/precision.h>

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

namespace mlaan {

/// What autocast does on this thread, on one kind of device.
struct AutocastState {
  /// As it is now. Kinds of devices that mlaan does not train on have none.
  static AutocastState of(c10::DeviceType device);

  bool enabled = false;
  c10::ScalarType dtype = c10::ScalarType::Float;  ///< where enabled
};

/// Autocast as asked for, until the end of the scope. The state belongs to the thread, so a node of
/// the graph that runs layers again opens a scope of its own.
///
/// Autocast's cache of converted weights is off within: it would hold the weights of all modules
/// until somebody cleared it, and give out old ones after a fused update. A module uses each weight
/// once a pass, so there is nothing to gain from it.
class AutocastScope {
 public:
  AutocastScope(c10::DeviceType device, const AutocastState& state);
  /// With Precision::float32 whatever is there stays.
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
