// Scatter plots as SVG pictures: labelled points, some joined to curves, on two axes.
#pragma once

#include <cstddef>
#include <limits>
#include <string>
#include <vector>

namespace mlaan {

struct PlotAxis {
  std::string title;         ///< what is shown, with its unit
  bool logarithmic = false;  ///< takes values above 0 alone
  /// Where a dashed line is drawn across, for comparison; NaN: nowhere.
  double reference = std::numeric_limits<double>::quiet_NaN();
};

struct PlotPoint {
  double x = 0;
  double y = 0;
  std::string label;        ///< beside the marker
  std::string note;         ///< shown when pointed at; empty: the label
  double y_half_width = 0;  ///< of the bar of uncertainty; 0: none
};

/// Points of one colour, and curves that join some of them.
struct PlotSeries {
  std::vector<PlotPoint> points;
  std::vector<std::vector<std::size_t>> curves;  ///< numbers of points, from 0, in order
};

struct ScatterPlot {
  std::string title;
  std::string subtitle;
  PlotAxis x;
  PlotAxis y;
  std::vector<PlotSeries> series;

  /// A picture without scripts and without a background; its colours are legible on white and on
  /// black. Labels are put where there is room, with a thin line to their marker where that is
  /// farther off.
  /// \throws UserError for a plot without points, and for a value that its axis cannot show.
  std::string to_svg() const;
};

}  // namespace mlaan
