// Scales of a plot's axes: where a value lies, and at which values there are ticks.
#pragma once

#include <vector>

namespace mlaan {

/// Maps values to positions from one end of an axis to the other.
class PlotScale {
 public:
  /// \param lowest, highest of the values; the axis goes a little beyond on both sides.
  /// \param begin, end positions of the axis's ends.
  PlotScale(double lowest, double highest, bool logarithmic, double begin, double end);

  double position(double value) const;
  /// Round values, four or more unless the axis is very short, evenly spread on the scale.
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
