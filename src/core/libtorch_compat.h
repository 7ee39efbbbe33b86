// Differences between the releases of LibTorch that mlaan builds with (1.13 and later).
#pragma once

#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/intrusive_ptr.h>
#include <torch/csrc/autograd/edge.h>
#include <torch/csrc/autograd/function.h>
#include <torch/version.h>

#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

/// Whether LibTorch is at least this release.
#define MLAAN_LIBTORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) ||           \
   (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

#if MLAAN_LIBTORCH_AT_LEAST(2, 1)
#include <ATen/ops/_foreach_lerp.h>
#else
#include <c10/util/C++17.h>
#endif

/// Attention that keeps no attention weights exists on the CPU since 2.1.
#define MLAAN_HAS_FUSED_ATTENTION MLAAN_LIBTORCH_AT_LEAST(2, 1)

/// The common allocator interface of all devices, with statistics, exists since 2.9.
#define MLAAN_HAS_DEVICE_ALLOCATOR MLAAN_LIBTORCH_AT_LEAST(2, 9)

namespace mlaan::compat {

/// Base class of an allocator: since 2.3 `allocate` is not const, and `copy_data` exists.
struct AllocatorBase : c10::Allocator {
#if MLAAN_LIBTORCH_AT_LEAST(2, 3)
  c10::DataPtr allocate(std::size_t bytes) final {
    return allocate_counted(bytes);
  }
  void copy_data(void* target, const void* source, std::size_t bytes) const final {
    std::memcpy(target, source, bytes);
  }
#else
  c10::DataPtr allocate(std::size_t bytes) const final {
    return const_cast<AllocatorBase*>(this)->allocate_counted(bytes);
  }
#endif
  virtual c10::DataPtr allocate_counted(std::size_t bytes) = 0;
};

/// The pointer type of nodes in autograd's graph: std::shared_ptr in older releases, then
/// c10::intrusive_ptr.
using NodePointer = decltype(torch::autograd::Edge::function);

template <class Node, class Pointer = NodePointer>
Pointer make_node() {
  if constexpr (std::is_same_v<Pointer, std::shared_ptr<torch::autograd::Node>>) {
    return std::make_shared<Node>();
  } else {
    return c10::make_intrusive<Node>();
  }
}

/// Autocast on this thread. Before 2.4, each kind of device had functions of its own.
#if MLAAN_LIBTORCH_AT_LEAST(2, 4)
inline bool is_autocast_enabled(c10::DeviceType device) {
  return at::autocast::is_autocast_enabled(device);
}
inline void set_autocast_enabled(c10::DeviceType device, bool enabled) {
  at::autocast::set_autocast_enabled(device, enabled);
}
inline c10::ScalarType autocast_dtype(c10::DeviceType device) {
  return at::autocast::get_autocast_dtype(device);
}
inline void set_autocast_dtype(c10::DeviceType device, c10::ScalarType dtype) {
  at::autocast::set_autocast_dtype(device, dtype);
}
#else
inline bool is_autocast_enabled(c10::DeviceType device) {
  return device == c10::DeviceType::CPU ? at::autocast::is_cpu_enabled()
                                        : at::autocast::is_enabled();
}
inline void set_autocast_enabled(c10::DeviceType device, bool enabled) {
  if (device == c10::DeviceType::CPU) {
    at::autocast::set_cpu_enabled(enabled);
  } else {
    at::autocast::set_enabled(enabled);
  }
}
inline c10::ScalarType autocast_dtype(c10::DeviceType device) {
  return device == c10::DeviceType::CPU ? at::autocast::get_autocast_cpu_dtype()
                                        : at::autocast::get_autocast_gpu_dtype();
}
inline void set_autocast_dtype(c10::DeviceType device, c10::ScalarType dtype) {
  if (device == c10::DeviceType::CPU) {
    at::autocast::set_autocast_cpu_dtype(dtype);
  } else {
    at::autocast::set_autocast_gpu_dtype(dtype);
  }
}
#endif

/// The parameter type of torch::nn::Module::clone().
#if MLAAN_LIBTORCH_AT_LEAST(2, 5)
using OptionalDevice = std::optional<c10::Device>;
#else
using OptionalDevice = c10::optional<c10::Device>;
#endif

/// The key under which an optimizer keeps a parameter's state; up to 2.0 the pointer as text.
template <class TensorImpl>
auto optimizer_state_key(TensorImpl* parameter) {
#if MLAAN_LIBTORCH_AT_LEAST(2, 1)
  return static_cast<void*>(parameter);
#else
  return c10::guts::to_string(parameter);
#endif
}

/// Moves every tensor by the fraction `weight` towards the one at its place in the other list: on a
/// GPU by one kernel for all tensors, from 2.1 on.
inline void foreach_lerp(at::TensorList tensors, at::TensorList towards, double weight) {
#if MLAAN_LIBTORCH_AT_LEAST(2, 1)
  at::_foreach_lerp_(tensors, towards, weight);
#else
  for (std::size_t i = 0; i < tensors.size(); ++i) tensors[i].lerp_(towards[i], weight);
#endif
}

template <class StoreOptions, class = void>
constexpr bool has_libuv_choice = false;
template <class StoreOptions>
constexpr bool
    has_libuv_choice<StoreOptions, std::void_t<decltype(std::declval<StoreOptions&>().useLibUV)>> =
        true;

/// Has a TCPStore use plain sockets. Newer releases use libuv by default, and refuse to make such a
/// store if they were built without it, as Debian's 2.6 is; older ones know plain sockets alone.
template <class StoreOptions>
void use_plain_sockets(StoreOptions& options) {
  if constexpr (has_libuv_choice<StoreOptions>) options.useLibUV = false;
}

}  // namespace mlaan::compat
