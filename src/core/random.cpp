// Random streams that depend on a key alone, so that every draw can be repeated.
#include <mlaan/core/random.h>

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/core/Generator.h>

#include <cmath>
#include <mutex>
#include <numeric>

namespace mlaan {
namespace {

constexpr std::uint64_t golden_gamma = 0x9e3779b97f4a7c15ULL;

std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

/// Logarithm of a gamma-distributed number of shape `alpha` (Marsaglia and Tsang 2000). For small
/// shapes the number itself may underflow a double.
double log_gamma_number(RandomStream& random, double alpha) {
  if (alpha < 1) {
    const double larger = log_gamma_number(random, alpha + 1);
    return larger + std::log1p(-random.uniform()) / alpha;
  }
  const double d = alpha - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = random.normal();
    const double root = 1 + c * x;
    const double u = 1 - random.uniform();
    if (root <= 0) continue;
    const double v = root * root * root;
    if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return std::log(d * v);
  }
}

at::Generator default_generator(c10::Device device) {
  return at::globalContext().defaultGenerator(device);
}

}  // namespace

std::uint64_t random_key(std::initializer_list<std::uint64_t> parts) {
  std::uint64_t key = golden_gamma;
  for (const auto part : parts) key = mix(key + golden_gamma + mix(part + golden_gamma));
  return key;
}

std::uint64_t random_key(const std::string& name) {
  std::uint64_t key = name.size();
  for (const char letter : name) key = mix(key + golden_gamma + static_cast<unsigned char>(letter));
  return key;
}

std::uint64_t RandomStream::next() {
  return mix(state_ += golden_gamma);
}

double RandomStream::uniform() {
  return static_cast<double>(next() >> 11) * 0x1.0p-53;
}

double RandomStream::uniform(double low, double high) {
  return low + (high - low) * uniform();
}

std::uint64_t RandomStream::below(std::uint64_t n) {
  // Lemire's multiplication method; its bias, below n / 2^64, is negligible here.
  __extension__ using Wide = unsigned __int128;
  return static_cast<std::uint64_t>((static_cast<Wide>(next()) * n) >> 64);
}

double RandomStream::normal() {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(6.283185307179586 * uniform());
}

double RandomStream::beta(double alpha) {
  const double one = log_gamma_number(*this, alpha);
  const double other = log_gamma_number(*this, alpha);
  return 1 / (1 + std::exp(other - one));
}

std::vector<std::int64_t> random_permutation(std::int64_t n, std::uint64_t key) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), std::int64_t{0});
  RandomStream random(key);
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  return order;
}

void seed_default_generator(c10::Device device, std::uint64_t key) {
  at::Generator generator = default_generator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(key);
}

at::Tensor default_generator_state(c10::Device device) {
  at::Generator generator = default_generator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  return generator.get_state();
}

void set_default_generator_state(c10::Device device, const at::Tensor& state) {
  at::Generator generator = default_generator(device);
  const std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_state(state);
}

DefaultGeneratorGuard::DefaultGeneratorGuard(c10::Device device)
    : device_(device), state_(default_generator_state(device)) {}

DefaultGeneratorGuard::~DefaultGeneratorGuard() {
  set_default_generator_state(device_, state_);
}

}  // namespace mlaan
