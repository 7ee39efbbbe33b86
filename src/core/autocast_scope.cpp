// An RAII guard that sets LibTorch's autocast for a scope.
#include "core/autocast_scope.h"

#include "core/libtorch_compat.h"

namespace mlaan {
namespace {

bool has_autocast(c10::DeviceType device) {
  return device == c10::DeviceType::CPU || device == c10::DeviceType::CUDA;
}

AutocastState state_for(c10::Device device, Precision precision) {
  if (precision == Precision::float32) return AutocastState::of(device.type());
  return {/*enabled=*/true, dtype_of(precision)};
}

}  // namespace

AutocastState AutocastState::of(c10::DeviceType device) {
  if (!has_autocast(device) || !compat::is_autocast_enabled(device)) return {};
  return {/*enabled=*/true, compat::autocast_dtype(device)};
}

AutocastScope::AutocastScope(c10::DeviceType device, const AutocastState& state)
    : device_(device),
      before_(AutocastState::of(device)),
      dtype_before_(has_autocast(device) ? compat::autocast_dtype(device) : c10::ScalarType::Float),
      cache_before_(at::autocast::is_autocast_cache_enabled()) {
  if (!has_autocast(device_)) return;
  compat::set_autocast_enabled(device_, state.enabled);
  if (!state.enabled) return;
  compat::set_autocast_dtype(device_, state.dtype);
  at::autocast::set_autocast_cache_enabled(false);
}

AutocastScope::AutocastScope(c10::Device device, Precision precision)
    : AutocastScope(device.type(), state_for(device, precision)) {}

AutocastScope::~AutocastScope() {
  if (!has_autocast(device_)) return;
  compat::set_autocast_enabled(device_, before_.enabled);
  compat::set_autocast_dtype(device_, dtype_before_);
  at::autocast::set_autocast_cache_enabled(cache_before_);
}

}  // namespace mlaan
