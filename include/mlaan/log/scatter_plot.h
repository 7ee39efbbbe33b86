// Scatter plots as SVG: labelled points on two axes, some of them joined by curves.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace mlaan {

struct PlotAxis {
  std::string title;         ///< the quantity, with its unit
  bool logarithmic = false;  ///< for values above 0 only
  /// Position of a dashed line across the plot, for comparison; NaN: no line.
  double reference = std::numeric_limits<double>::quiet_NaN();
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::string label;        ///< beside the marker
  std::string note;         ///< tooltip; "": the label
  double y_half_width = 0;  ///< of the error bar; 0: none
};

/// Points of one colour, and curves that join some of them.
struct PlotSeries {
  std::vector<PlotPoint> points;
  std::vector<std::vector<std::size_t>> curves;  ///< indices of points, from 0, in order
};

struct ScatterPlot {
  std::string title;
  std::string subtitle;
  PlotAxis x;
  PlotAxis y;
  std::vector<PlotSeries> series;

  /// An SVG without scripts and without a background; its colours are legible on white and on
  /// black. Labels are placed where there is room, with a thin line to their marker if that is far
  /// away.
  /// \throws UserError for a plot without points, and for a value that its axis cannot show.
  std::string to_svg() const;
};

}  // namespace mlaan
