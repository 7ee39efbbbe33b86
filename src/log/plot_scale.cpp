// Scales of a plot's axes: positions of values, and ticks.
#include "log/plot_scale.h"

#include <algorithm>
#include <cmath>

namespace mlaan {
namespace {

constexpr std::size_t enough_ticks = 4;

/// Ticks at multiples of 1, 2 or 5 times a power of ten.
std::vector<double> even_ticks(double low, double high) {
  const double rough = (high - low) / 6;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  const double steps = rough / power;
  const double step = power * (steps <= 1 ? 1 : steps <= 2 ? 2 : steps <= 5 ? 5 : 10);
  std::vector<double> ticks;
  for (double k = std::ceil(low / step); k * step <= high; ++k) ticks.push_back(k * step);
  return ticks;
}

/// Ticks at the given multiples of every power of ten.
std::vector<double> decade_ticks(double low, double high, const std::vector<double>& factors) {
  std::vector<double> ticks;
  for (double exponent = std::floor(std::log10(low)); std::pow(10.0, exponent) <= high;
       ++exponent) {
    for (const double factor : factors) {
      const double tick = factor * std::pow(10.0, exponent);
      if (tick >= low && tick <= high) ticks.push_back(tick);
    }
  }
  return ticks;
}

}  // namespace

PlotScale::PlotScale(double lowest, double highest, bool logarithmic, double begin, double end)
    : logarithmic_(logarithmic),
      low_(transformed(lowest)),
      high_(transformed(highest)),
      begin_(begin),
      end_(end) {
  // Widens the range of a single value, which would be empty.
  const double least = logarithmic ? 0.1 : std::max(std::abs(high_) * 0.1, 1e-6);
  const double margin = std::max(0.07 * (high_ - low_), high_ - low_ < least ? least : 0.0);
  low_ -= margin;
  high_ += margin;
}

double PlotScale::transformed(double value) const {
  return logarithmic_ ? std::log10(value) : value;
}

double PlotScale::position(double value) const {
  return begin_ + (transformed(value) - low_) / (high_ - low_) * (end_ - begin_);
}

std::vector<double> PlotScale::ticks() const {
  if (!logarithmic_) return even_ticks(low_, high_);
  const double low = std::pow(10.0, low_);
  const double high = std::pow(10.0, high_);
  const std::vector<std::vector<double>> choices{{1}, {1, 2, 5}, {1, 1.5, 2, 3, 4, 5, 7}};
  for (const auto& factors : choices) {
    auto ticks = decade_ticks(low, high, factors);
    if (ticks.size() >= enough_ticks) return ticks;
  }
  return even_ticks(low, high);
}

}  // namespace mlaan
