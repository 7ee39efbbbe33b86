// Random streams that depend on nothing but a key, so that every draw can be repeated.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

namespace mlaan {

/// One 64-bit key out of several, order mattering: the way to a stream of one's own for each
/// (seed, epoch, index) or (seed, step, module).
std::uint64_t random_key(std::initializer_list<std::uint64_t> parts);

/// A key for a name, the same on every machine.
std::uint64_t random_key(const std::string& name);

/// SplitMix64 (Steele, Lea and Flood 2014): 64 random bits a call, from a 64-bit key.
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
  /// Beta distribution of both parameters `alpha`, above 0: symmetric about 1/2.
  double beta(double alpha);

 private:
  std::uint64_t state_;
};

/// A random order of 0 … n−1 (Fisher–Yates), a pure function of n and the key.
std::vector<std::int64_t> random_permutation(std::int64_t n, std::uint64_t key);

/// Points LibTorch's default generator of a device at a stream of its own.
void seed_default_generator(c10::Device device, std::uint64_t key);

/// The state of LibTorch's default generator of a device, and putting it there again: what is drawn
/// next is what was drawn after default_generator_state().
at::Tensor default_generator_state(c10::Device device);
void set_default_generator_state(c10::Device device, const at::Tensor& state);

/// Gives LibTorch's default generator of a device back, at the end of its scope, in the state it
/// was found in.
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
