// Charts as figures of an HTML page: lines, stacked columns, intervals.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace mlaan {

struct ChartLine {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< x and y, x rising; what is NaN is left out
};

struct LineChart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<ChartLine> lines;
  /// Each point's y holds until the next one's x.
  bool steps = false;
};

/// Lines of many are thinned out; where there are more than can be told apart they are coloured in
/// their order, from blue to orange. "" where there is no line with a point.
std::string line_chart(const LineChart& chart);

struct ColumnChart {
  std::string title;
  std::string x_title;
  std::string y_title;
  std::vector<std::string> parts;            ///< names of what is stacked, from below
  std::vector<std::vector<double>> columns;  ///< of each, a value for each part
};

/// Columns are numbered from 1. "" without columns.
std::string column_chart(const ColumnChart& chart);

struct ChartInterval {
  std::string name;
  double value = 0;
  double lowest = 0;   ///< NaN: no interval is known
  double highest = 0;  ///< likewise
};

/// One row for each: a dot, and a line from its lowest to its highest.
/// \param reference where a line is drawn for comparison; NaN: nowhere.
std::string interval_chart(const std::string& title, const std::string& x_title,
                           const std::vector<ChartInterval>& intervals, double reference);

}  // namespace mlaan
