// Random streams that depend on nothing but a key, so that every draw can be repeated.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace mlaan {

/// Hashes several keys, in this order, into one 64-bit key: gives each (seed, epoch, index) or
/// (seed, step, module) a random stream of its own.
std::uint64_t random_key(std::initializer_list<std::uint64_t> parts);

/// Hashes a name into a key, which is the same on every machine.
std::uint64_t random_key(const std::string& name);

/// SplitMix64 (Steele, Lea and Flood 2014): 64 random bits per call, seeded by a 64-bit key.
class RandomStream {
 public:
  explicit RandomStream(std::uint64_t key) : state_(key) {}

  std::uint64_t next();
  /// Uniform in [0, 1).
  double uniform();
  /// Uniform in [low, high).
  double uniform(double low, double high);
  /// Uniform over 0 … n−1; n must be above 0.
  std::uint64_t below(std::uint64_t n);
  /// Standard normal.
  double normal();
  /// Beta(alpha, alpha), which is symmetric about 1/2; alpha must be above 0.
  double beta(double alpha);

 private:
  std::uint64_t state_;
};

/// A random order of 0 … n−1 (Fisher–Yates), a pure function of n and the key.
std::vector<std::int64_t> random_permutation(std::int64_t n, std::uint64_t key);

/// Seeds LibTorch's default generator of a device with the key.
void seed_default_generator(c10::Device device, std::uint64_t key);

/// Saves and restores the state of LibTorch's default generator of a device. A restored generator
/// repeats the draws that followed default_generator_state().
at::Tensor default_generator_state(c10::Device device);
void set_default_generator_state(c10::Device device, const at::Tensor& state);

/// RAII guard that restores the state of LibTorch's default generator of a device at the end of its
/// scope.
class DefaultGeneratorGuard {
 public:
  explicit DefaultGeneratorGuard(c10::Device device);
  ~DefaultGeneratorGuard();
  DefaultGeneratorGuard(const DefaultGeneratorGuard&) = delete;
  DefaultGeneratorGuard& operator=(const DefaultGeneratorGuard&) = delete;

 private:
  c10::Device device_;
  at::Tensor state_;
};

}  // namespace mlaan
