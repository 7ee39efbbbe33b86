// Scales of a plot's axes: positions of values, and ticks.
#pragma once

#include <vector>

namespace mlaan {

/// Maps values linearly or logarithmically to positions along an axis.
class PlotScale {
 public:
  /// \param lowest, highest of the values; the axis extends a little beyond both.
  /// \param begin, end positions of the axis's ends.
  PlotScale(double lowest, double highest, bool logarithmic, double begin, double end);

  double position(double value) const;
  /// Round values at even distances on the scale; at least four unless the axis is very short.
  std::vector<double> ticks() const;

 private:
  double transformed(double value) const;

  bool logarithmic_;
  double low_;   ///< transformed
  double high_;  ///< transformed
  double begin_;
  double end_;
};

}  // namespace mlaan
