// Charts for HTML pages: lines, stacked columns, intervals.
#include "log/chart.h"

#include "log/markup.h"
#include "log/plot_scale.h"

#include <mlaan/log/table.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <limits>

namespace mlaan {
namespace {

constexpr double chart_width = 480;
constexpr double chart_height = 270;
constexpr double left_edge = 56;
constexpr double right_edge = chart_width - 10;
constexpr double top_edge = 20;
constexpr double bottom_edge = chart_height - 38;
constexpr std::size_t points_of_all_lines = 24000;
constexpr std::size_t fewest_points = 24;
constexpr std::size_t most_points = 300;

constexpr std::array<const char*, 8> line_colours{"#3f7fd6", "#d9722e", "#2b9068", "#a65ac8",
                                                  "#c4506f", "#968a1d", "#1f8fa3", "#767676"};

std::string coordinate(double value) {
  return fixed(value, 1);
}

std::string colour_of(std::size_t number, std::size_t count) {
  if (count <= line_colours.size()) return line_colours.at(number);
  const double share = static_cast<double>(number) / static_cast<double>(count - 1);
  // From blue through violet and red to orange.
  const double hue = 215 + share * (390 - 215);
  return "hsl(" + fixed(std::fmod(hue, 360), 0) + ",62%,52%)";
}

std::string tick_label(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.5g", std::abs(value) < 1e-12 ? 0 : value);
  return text.data();
}

std::string svg_text(double x, double y, const char* anchor, const std::string& content) {
  return "<text x=\"" + coordinate(x) + "\" y=\"" + coordinate(y) + "\" text-anchor=\"" + anchor +
         "\">" + escaped_markup(content) + "</text>";
}

std::string svg_line(double x1, double y1, double x2, double y2, const std::string& attributes) {
  return "<line x1=\"" + coordinate(x1) + "\" y1=\"" + coordinate(y1) + "\" x2=\"" +
         coordinate(x2) + "\" y2=\"" + coordinate(y2) + "\" " + attributes + "/>";
}

std::string svg_open(const std::string& title, double height) {
  return "<svg viewBox=\"0 0 " + coordinate(chart_width) + " " + coordinate(height) +
         "\" role=\"img\"><title>" + escaped_markup(title) + "</title>\n";
}

std::string figure(const std::string& title, const std::string& svg, const std::string& legend) {
  return "<figure>\n<h3>" + escaped_markup(title) + "</h3>\n" + svg + "</svg>\n" + legend +
         "</figure>\n";
}

std::string legend_entry(const std::string& colour, const std::string& name) {
  return "<span><i style=\"background:" + colour + "\"></i>" + escaped_markup(name) + "</span>";
}

/// All names; if there are many, only the first, one in the middle and the last.
std::string legend_of(const std::vector<std::string>& names) {
  if (names.empty()) return "";
  std::vector<std::size_t> shown;
  if (names.size() <= 12) {
    for (std::size_t i = 0; i < names.size(); ++i) shown.push_back(i);
  } else {
    shown = {0, names.size() / 2, names.size() - 1};
  }
  std::string html = "<div class=\"legend\">";
  for (const auto i : shown) html += legend_entry(colour_of(i, names.size()), names[i]);
  if (shown.size() < names.size())
    html += "<span>" + std::to_string(names.size()) + " lines</span>";
  return html + "</div>\n";
}

/// The grid lines and numbers of the axes at the bottom and at the left.
/// \param whole_x whether x counts something, so that only whole numbers are shown.
std::string axes(const PlotScale& x, const PlotScale& y, const std::string& x_title,
                 const std::string& y_title, bool whole_x) {
  std::string svg;
  for (const double tick : y.ticks()) {
    const double place = y.position(tick);
    svg += svg_line(left_edge, place, right_edge, place, "class=\"grid\"");
    svg += svg_text(left_edge - 6, place + 4, "end", tick_label(tick)) + "\n";
  }
  for (const double tick : x.ticks()) {
    if (whole_x && std::abs(tick - std::round(tick)) > 1e-9) continue;
    svg += svg_text(x.position(tick), bottom_edge + 16, "middle", tick_label(tick)) + "\n";
  }
  return svg + svg_text((left_edge + right_edge) / 2, bottom_edge + 33, "middle", x_title) +
         svg_text(4, 12, "start", y_title) + "\n";
}

using Points = std::vector<std::pair<double, double>>;

/// Reduces the points to at most `most`, by averaging neighbours.
Points thinned(const Points& points, std::size_t most) {
  if (points.size() <= most) return points;
  Points result;
  for (std::size_t bin = 0; bin < most; ++bin) {
    const std::size_t begin = bin * points.size() / most;
    const std::size_t end = (bin + 1) * points.size() / most;
    double x = 0;
    double y = 0;
    for (std::size_t i = begin; i < end; ++i) {
      x += points[i].first;
      y += points[i].second;
    }
    const auto count = static_cast<double>(end - begin);
    result.emplace_back(x / count, y / count);
  }
  return result;
}

Points finite(const Points& points) {
  Points result;
  for (const auto& point : points) {
    if (std::isfinite(point.first) && std::isfinite(point.second)) result.push_back(point);
  }
  return result;
}

struct Extent {
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -std::numeric_limits<double>::infinity();

  void take(double value) {
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
};

/// A scale on which `lowest` is exactly at `begin` and `highest` exactly at `end`.
PlotScale scale_between(double lowest, double highest, double begin, double end) {
  constexpr double share = 0.07;  // the margin that PlotScale adds on both sides
  const double margin = highest > lowest ? share * (end - begin) : 0;
  return {lowest, highest, false, begin - margin, end + margin};
}

std::string polyline(const Points& points, const PlotScale& x, const PlotScale& y, bool steps,
                     const std::string& colour, const std::string& name) {
  std::string path;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::string height = coordinate(y.position(points[i].second));
    path += coordinate(x.position(points[i].first)) + "," + height + " ";
    if (steps && i + 1 < points.size()) {
      path += coordinate(x.position(points[i + 1].first)) + "," + height + " ";
    }
  }
  if (points.size() == 1) {
    return "<circle cx=\"" + path.substr(0, path.find(',')) + "\" cy=\"" +
           path.substr(path.find(',') + 1, path.size() - path.find(',') - 2) +
           "\" r=\"3\" fill=\"" + colour + "\"><title>" + escaped_markup(name) +
           "</title></circle>\n";
  }
  return "<polyline class=\"line\" stroke=\"" + colour + "\" points=\"" + path + "\"><title>" +
         escaped_markup(name) + "</title></polyline>\n";
}

}  // namespace

std::string line_chart(const LineChart& chart) {
  std::vector<ChartLine> lines;
  const std::size_t most =
      std::clamp(points_of_all_lines / std::max<std::size_t>(1, chart.lines.size()), fewest_points,
                 chart.steps ? points_of_all_lines : most_points);
  Extent horizontal;
  Extent vertical;
  bool whole = true;
  for (const auto& line : chart.lines) {
    for (const auto& point : line.points) whole = whole && point.first == std::round(point.first);
    ChartLine shown{line.name, thinned(finite(line.points), most)};
    if (shown.points.empty()) continue;
    for (const auto& [x, y] : shown.points) {
      horizontal.take(x);
      vertical.take(y);
    }
    lines.push_back(std::move(shown));
  }
  if (lines.empty()) return "";
  const PlotScale x(horizontal.lowest, horizontal.highest, false, left_edge, right_edge);
  const PlotScale y(vertical.lowest, vertical.highest, false, bottom_edge, top_edge);
  std::string svg =
      svg_open(chart.title, chart_height) + axes(x, y, chart.x_title, chart.y_title, whole);
  std::vector<std::string> names;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    svg += polyline(lines[i].points, x, y, chart.steps, colour_of(i, lines.size()), lines[i].name);
    names.push_back(lines[i].name);
  }
  return figure(chart.title, svg, names.size() > 1 ? legend_of(names) : "");
}

std::string column_chart(const ColumnChart& chart) {
  if (chart.columns.empty()) return "";
  Extent vertical;
  vertical.take(0);
  for (const auto& column : chart.columns) {
    double sum = 0;
    for (const double value : column) sum += value;
    vertical.take(sum);
  }
  const auto count = static_cast<double>(chart.columns.size());
  // With room for half a column at both ends. y begins at 0, without the margin that scales add.
  const double room = (right_edge - left_edge) / (2 * count);
  const double step = (right_edge - left_edge) / count;
  const PlotScale x = scale_between(1, count, left_edge + room, right_edge - room);
  const double margin = 0.07 / 1.14 * (bottom_edge - top_edge);
  const PlotScale y(0, vertical.highest, false, bottom_edge + margin, top_edge);
  const double width = std::clamp(0.75 * step, 1.0, 90.0);
  std::string svg = svg_open(chart.title, chart_height) +
                    axes(x, y, chart.x_title, chart.y_title, /*whole_x=*/true);
  for (std::size_t i = 0; i < chart.columns.size(); ++i) {
    const double number = static_cast<double>(i + 1);
    double below = 0;
    for (std::size_t part = 0; part < chart.parts.size(); ++part) {
      const double value = chart.columns[i].at(part);
      if (!(value > 0)) continue;
      const double top = y.position(below + value);
      svg += "<rect x=\"" + coordinate(x.position(number) - width / 2) + "\" y=\"" +
             coordinate(top) + "\" width=\"" + coordinate(width) + "\" height=\"" +
             coordinate(y.position(below) - top) + "\" fill=\"" +
             colour_of(part, chart.parts.size()) + "\"><title>" + std::to_string(i + 1) + ", " +
             escaped_markup(chart.parts[part]) + ": " + tick_label(value) + "</title></rect>\n";
      below += value;
    }
  }
  return figure(chart.title, svg, legend_of(chart.parts));
}

std::string interval_chart(const std::string& title, const std::string& x_title,
                           const std::vector<ChartInterval>& intervals, double reference) {
  Extent horizontal;
  for (const auto& interval : intervals) {
    for (const double value : {interval.value, interval.lowest, interval.highest, reference}) {
      if (std::isfinite(value)) horizontal.take(value);
    }
  }
  if (horizontal.lowest > horizontal.highest) return "";
  constexpr double row_height = 40;
  const double bottom = 8 + row_height * static_cast<double>(intervals.size());
  const PlotScale x(horizontal.lowest, horizontal.highest, false, 12, right_edge);
  std::string svg = svg_open(title, bottom + 40);
  for (const double tick : x.ticks()) {
    svg += svg_line(x.position(tick), 4, x.position(tick), bottom, "class=\"grid\"");
    svg += svg_text(x.position(tick), bottom + 16, "middle", tick_label(tick)) + "\n";
  }
  svg += svg_text((12 + right_edge) / 2, bottom + 33, "middle", x_title) + "\n";
  if (std::isfinite(reference)) {
    svg += svg_line(x.position(reference), 4, x.position(reference), bottom,
                    "stroke=\"#767676\" stroke-dasharray=\"4 3\"");
  }
  for (std::size_t i = 0; i < intervals.size(); ++i) {
    const auto& interval = intervals[i];
    const std::string colour = colour_of(i, intervals.size());
    const double top = 8 + row_height * static_cast<double>(i);
    svg += svg_text(12, top + 12, "start", interval.name);
    if (!std::isfinite(interval.value)) continue;
    if (std::isfinite(interval.lowest)) {
      svg += svg_line(x.position(interval.lowest), top + 25, x.position(interval.highest), top + 25,
                      "stroke=\"" + colour + "\" stroke-width=\"3\"");
    }
    svg += "<circle cx=\"" + coordinate(x.position(interval.value)) + "\" cy=\"" +
           coordinate(top + 25) + "\" r=\"5\" fill=\"" + colour + "\"><title>" +
           escaped_markup(interval.name) + ": " + tick_label(interval.value) +
           "</title></circle>\n";
  }
  return figure(title, svg, "");
}

}  // namespace mlaan
