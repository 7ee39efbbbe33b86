// Charts for HTML pages: lines, stacked columns, intervals.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

struct ChartLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x and y, with increasing x; NaN is skipped
};

struct LineChart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<ChartLine> lines;
  /// Whether y is constant from each point to the next, as a step function.
  bool steps = false;
};

/// Lines with many points are thinned out. If there are more lines than distinguishable colours,
/// colours go from blue to orange in the lines' order. "" if no line has a point.
std::string line_chart(const LineChart& chart);

struct ColumnChart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<std::string> parts;            ///< names of the stacked parts, from the bottom
  std::vector<std::vector<double>> columns;  ///< for each column, the value of each part
};

/// Columns are numbered from 1. "" if there are none.
std::string column_chart(const ColumnChart& chart);

struct ChartInterval {
  std::string name;
  double value = 0;
  double lowest = 0;   ///< NaN: no interval is known
  double highest = 0;  ///< NaN: no interval is known
};

/// One row per interval: a dot at its value, and a line from its lowest to its highest.
/// \param reference position of a line for comparison; NaN for none.
std::string interval_chart(const std::string& title, const std::string& x_title,
                           const std::vector<ChartInterval>& intervals, double reference);

}  // namespace mlaan
