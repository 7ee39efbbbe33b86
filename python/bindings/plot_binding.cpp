// Binds scatter plots.
#include "bindings.h"

#include <mlaan/log/scatter_plot.h>

#include <pybind11/stl.h>

#include <tuple>

namespace mlaan::python {
namespace {

using Point = std::tuple<double, double, std::string, double>;

PlotSeries make_series(const std::vector<Point>& points) {
  PlotSeries series;
  for (const auto& [x, y, label, half_width] : points) {
    series.points.push_back({x, y, label, "", half_width});
  }
  return series;
}

/// \param series the points of each: x, y, label, and half the width of the error bar.
std::string draw(const std::string& title, const std::string& subtitle, const std::string& x_title,
                 const std::string& y_title, bool logarithmic,
                 const std::vector<std::vector<Point>>& series) {
  ScatterPlot plot;
  plot.title = title;
  plot.subtitle = subtitle;
  plot.x.title = x_title;
  plot.x.logarithmic = logarithmic;
  plot.y.title = y_title;
  for (const auto& points : series) plot.series.push_back(make_series(points));
  return plot.to_svg();
}

}  // namespace

void bind_plots(pybind11::module_& module) {
  module.def("scatter_plot", &draw);
}

}  // namespace mlaan::python
