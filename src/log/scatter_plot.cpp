// Scatter plots as SVG: labelled points, some of them connected by curves.
#include "log/label_placement.h"
#include "log/plot_scale.h"

#include <mlaan/core/error.h>
#include <mlaan/log/scatter_plot.h>
#include <mlaan/log/table.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <limits>

namespace mlaan {
namespace {

constexpr double picture_width = 900;
constexpr double picture_height = 600;
constexpr Box plot_area{80, 76, 872, 530};
constexpr double marker_radius = 5;
constexpr double letter_height = 13;
/// Mean width of a sans-serif letter relative to its height, rather over- than underestimated.
constexpr double letter_width = 0.62;

/// A grey with equal contrast to white and black.
constexpr const char* neutral = "#767676";
constexpr std::array<const char*, 8> point_colours{"#3f7fd6", "#c9622a", "#2b9068", "#a65ac8",
                                                   "#c4506f", "#867b16", "#1f8fa3", "#767676"};

enum class Marker : std::uint8_t { disc, square };

std::string escaped(const std::string& text) {
  std::string result;
  for (const char letter : text) {
    switch (letter) {
      case '&':
        result += "&amp;";
        break;
      case '<':
        result += "&lt;";
        break;
      case '>':
        result += "&gt;";
        break;
      case '"':
        result += "&quot;";
        break;
      case '\'':
        result += "&apos;";
        break;
      default:
        // XML does not allow control characters, not even escaped.
        result += static_cast<unsigned char>(letter) < 0x20 ? ' ' : letter;
    }
  }
  return result;
}

double text_width(const std::string& text) {
  const auto letters = std::count_if(text.begin(), text.end(), [](char letter) {
    return (static_cast<unsigned char>(letter) & 0xc0) != 0x80;  // not a UTF-8 continuation byte
  });
  return static_cast<double>(letters) * letter_width * letter_height;
}

std::string number(double value) {
  return fixed(value, 1);
}

/// 'x="1.0" y="2.0"'
std::string at(const char* x, const char* y, const Position& position) {
  return std::string(x) + "=\"" + number(position.x) + "\" " + y + "=\"" + number(position.y) +
         "\"";
}

std::string text(const Position& position, const std::string& anchor, const std::string& attributes,
                 const std::string& content) {
  return "<text " + at("x", "y", position) + " text-anchor=\"" + anchor + "\"" + attributes + ">" +
         escaped(content) + "</text>\n";
}

std::string line(const Position& from, const Position& to, const std::string& attributes) {
  return "<line " + at("x1", "y1", from) + " " + at("x2", "y2", to) + attributes + "/>\n";
}

std::string tick_text(double value) {
  std::array<char, 32> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%.6g", value);
  return buffer.data();
}

PlotScale scale_of(const ScatterPlot& plot, double PlotPoint::*coordinate, const PlotAxis& axis,
                   double begin, double end) {
  double lowest = std::numeric_limits<double>::infinity();
  double highest = -lowest;
  for (const auto& series : plot.series) {
    for (const auto& point : series.points) {
      const double value = point.*coordinate;
      if (!std::isfinite(value) || (axis.logarithmic && value <= 0)) {
        throw UserError("'" + point.label + "' cannot be plotted: " + axis.title + " = " +
                        tick_text(value) + "; expected a finite number" +
                        (axis.logarithmic ? " above 0" : ""));
      }
      const double bar = coordinate == &PlotPoint::y ? point.y_half_width : 0;
      lowest = std::min(lowest, axis.logarithmic ? value : value - bar);
      highest = std::max(highest, value + bar);
    }
  }
  if (lowest > highest) throw UserError("a plot needs one point at least");
  if (std::isfinite(axis.reference)) {
    lowest = std::min(lowest, axis.reference);
    highest = std::max(highest, axis.reference);
  }
  return {lowest, highest, axis.logarithmic, begin, end};
}

/// Draws a plot.
class Drawing {
 public:
  explicit Drawing(const ScatterPlot& plot)
      : plot_(plot),
        x_(scale_of(plot, &PlotPoint::x, plot.x, plot_area.left, plot_area.right)),
        y_(scale_of(plot, &PlotPoint::y, plot.y, plot_area.bottom, plot_area.top)) {}

  std::string draw() {
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + number(picture_width) +
           "\" height=\"" + number(picture_height) + "\" viewBox=\"0 0 " + number(picture_width) +
           " " + number(picture_height) +
           "\" role=\"img\" font-family=\"sans-serif\" font-size=\"" + number(letter_height) +
           "\">\n<title>" + escaped(plot_.title) + "</title>\n";
    draw_titles();
    draw_axes();
    draw_points();
    return svg_ + "</svg>\n";
  }

 private:
  void draw_titles() {
    const std::string grey = std::string(" fill=\"") + neutral + "\"";
    svg_ += text({plot_area.left, 30}, "start", grey + " font-size=\"17\" font-weight=\"bold\"",
                 plot_.title);
    svg_ += text({plot_area.left, 52}, "start", grey, plot_.subtitle);
    svg_ += text({(plot_area.left + plot_area.right) / 2, plot_area.bottom + 48}, "middle", grey,
                 plot_.x.title);
    const Position side{22, (plot_area.top + plot_area.bottom) / 2};
    svg_ += text(side, "middle",
                 grey + " transform=\"rotate(-90 " + number(side.x) + " " + number(side.y) + ")\"",
                 plot_.y.title);
  }

  void draw_axes() {
    svg_ += std::string("<g stroke=\"") + neutral + "\" stroke-width=\"1\">\n";
    const std::string faint = " stroke-opacity=\"0.25\"";
    const std::string dashed = " stroke-dasharray=\"5 4\"";
    for (const double tick : x_.ticks()) draw_upright(tick, faint);
    for (const double tick : y_.ticks()) draw_across(tick, faint);
    if (std::isfinite(plot_.x.reference)) draw_upright(plot_.x.reference, dashed);
    if (std::isfinite(plot_.y.reference)) draw_across(plot_.y.reference, dashed);
    svg_ += line({plot_area.left, plot_area.bottom}, {plot_area.right, plot_area.bottom}, "");
    svg_ += line({plot_area.left, plot_area.top}, {plot_area.left, plot_area.bottom}, "");
    svg_ += std::string("</g>\n<g fill=\"") + neutral + "\">\n";
    for (const double tick : x_.ticks()) {
      svg_ += text({x_.position(tick), plot_area.bottom + 20}, "middle", "", tick_text(tick));
    }
    for (const double tick : y_.ticks()) {
      svg_ += text({plot_area.left - 8, y_.position(tick) + 4.5}, "end", "", tick_text(tick));
    }
    svg_ += "</g>\n";
  }

  void draw_upright(double value, const std::string& attributes) {
    const double x = x_.position(value);
    svg_ += line({x, plot_area.top}, {x, plot_area.bottom}, attributes);
  }

  void draw_across(double value, const std::string& attributes) {
    const double y = y_.position(value);
    svg_ += line({plot_area.left, y}, {plot_area.right, y}, attributes);
  }

  Position position(const PlotPoint& point) const {
    return {x_.position(point.x), y_.position(point.y)};
  }

  std::vector<Position> positions(const PlotSeries& series,
                                  const std::vector<std::size_t>& curve) const {
    std::vector<Position> positions;
    for (const auto number : curve) positions.push_back(position(series.points.at(number)));
    return positions;
  }

  /// The dashed reference lines.
  std::vector<std::vector<Position>> references() const {
    std::vector<std::vector<Position>> lines;
    if (std::isfinite(plot_.x.reference)) {
      const double x = x_.position(plot_.x.reference);
      lines.push_back({{x, plot_area.top}, {x, plot_area.bottom}});
    }
    if (std::isfinite(plot_.y.reference)) {
      const double y = y_.position(plot_.y.reference);
      lines.push_back({{plot_area.left, y}, {plot_area.right, y}});
    }
    return lines;
  }

  void draw_points() {
    std::vector<LabelledPoint> wishes;
    auto lines = references();
    for (const auto& series : plot_.series) {
      for (const auto& point : series.points) {
        wishes.push_back({position(point), text_width(point.label)});
      }
      for (const auto& curve : series.curves) lines.push_back(positions(series, curve));
    }
    const auto labels =
        place_labels(wishes, letter_height, marker_radius, lines,
                     {plot_area.left + 2, plot_area.top, picture_width - 4, plot_area.bottom - 2});
    std::size_t next = 0;
    for (std::size_t s = 0; s < plot_.series.size(); ++s) {
      const std::string colour = point_colours.at(s % point_colours.size());
      // Where colours repeat, another marker tells the series apart.
      const Marker marker = s / point_colours.size() % 2 == 0 ? Marker::disc : Marker::square;
      svg_ += "<g fill=\"" + colour + "\" stroke=\"" + colour + "\">\n";
      for (const auto& curve : plot_.series[s].curves)
        draw_curve(positions(plot_.series[s], curve));
      for (const auto& point : plot_.series[s].points) draw_point(point, labels[next++], marker);
      svg_ += "</g>\n";
    }
  }

  void draw_curve(const std::vector<Position>& curve) {
    svg_ += "<polyline fill=\"none\" stroke-width=\"1.5\" stroke-opacity=\"0.7\" points=\"";
    for (std::size_t i = 0; i < curve.size(); ++i) {
      svg_ += (i == 0 ? "" : " ") + number(curve[i].x) + "," + number(curve[i].y);
    }
    svg_ += "\"/>\n";
  }

  void draw_point(const PlotPoint& point, const Box& label, Marker marker) {
    const Position center = position(point);
    if (point.y_half_width > 0) {
      svg_ += line({center.x, y_.position(point.y - point.y_half_width)},
                   {center.x, y_.position(point.y + point.y_half_width)},
                   " stroke-width=\"1.5\" stroke-opacity=\"0.5\"");
    }
    if (gap(label, center) > beside) {
      const Position nearest{std::clamp(center.x, label.left, label.right),
                             std::clamp(center.y, label.top, label.bottom)};
      svg_ += line(center, nearest, " stroke-width=\"0.75\" stroke-opacity=\"0.6\"");
    }
    const std::string title =
        "<title>" + escaped(point.note.empty() ? point.label : point.note) + "</title>";
    if (marker == Marker::disc) {
      svg_ += "<circle " + at("cx", "cy", center) + " r=\"" + number(marker_radius) + "\">" +
              title + "</circle>\n";
    } else {
      const Position corner{center.x - marker_radius, center.y - marker_radius};
      const std::string side = number(2 * marker_radius);
      svg_ += "<rect " + at("x", "y", corner) + " width=\"" + side + "\" height=\"" + side + "\">" +
              title + "</rect>\n";
    }
    // Anchored on the side of the marker, so that a label narrower than computed stays next to it.
    const double baseline = label.bottom - 0.22 * letter_height;
    const std::string plain = " stroke=\"none\"";
    if (label.left > center.x) {
      svg_ += text({label.left, baseline}, "start", plain, point.label);
    } else if (label.right < center.x) {
      svg_ += text({label.right, baseline}, "end", plain, point.label);
    } else {
      svg_ += text({(label.left + label.right) / 2, baseline}, "middle", plain, point.label);
    }
  }

  const ScatterPlot& plot_;
  PlotScale x_;
  PlotScale y_;
  std::string svg_;
};

}  // namespace

std::string ScatterPlot::to_svg() const {
  return Drawing(*this).draw();
}

}  // namespace mlaan
