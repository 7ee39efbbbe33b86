// Places the labels of a plot's points.
#include "log/label_placement.h"

#include <c10/util/MathConstants.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace mlaan {
namespace {

constexpr int directions = 16;
/// Distances to try between the marker's edge and the label.
constexpr double distances[] = {3, 12, 24, 38, 54, 72, 92, 114, 140, 170};

Box around(const Position& center, double radius) {
  return {center.x - radius, center.y - radius, center.x + radius, center.y + radius};
}

/// The label whose nearest edge or corner is at `offset` from the point: beside the point for flat
/// angles, centred above or below it for steep ones.
Box label_at(const LabelledPoint& point, double height, double angle, double offset) {
  const double dx = std::cos(angle);
  const double dy = std::sin(angle);
  const double x = point.position.x + offset * dx;
  const double y = point.position.y + offset * dy;
  const double left = x - point.width * (1 - dx) / 2;
  const double top = y - height * (1 - dy) / 2;
  return {left, top, left + point.width, top + height};
}

bool is_within(const Box& box, const Box& bounds) {
  return box.left >= bounds.left && box.right <= bounds.right && box.top >= bounds.top &&
         box.bottom <= bounds.bottom;
}

/// The length of a line within a box, estimated by sampling.
double length_within(const std::vector<Position>& line, const Box& box) {
  constexpr double sample = 4;
  double length = 0;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const double dx = line[i].x - line[i - 1].x;
    const double dy = line[i].y - line[i - 1].y;
    const int samples = 1 + static_cast<int>(std::hypot(dx, dy) / sample);
    for (int k = 0; k <= samples; ++k) {
      const double x = line[i - 1].x + dx * k / samples;
      const double y = line[i - 1].y + dy * k / samples;
      if (x > box.left && x < box.right && y > box.top && y < box.bottom) length += sample;
    }
  }
  return length;
}

/// Whether a label beside its point could be taken for another point's: it is at most twice as far
/// from that point, since the label may be drawn wider than computed.
bool is_mistakable(const Box& label, const LabelledPoint& point,
                   const std::vector<LabelledPoint>& points) {
  const double own = gap(label, point.position);
  if (own > beside) return false;
  return std::any_of(points.begin(), points.end(), [&](const LabelledPoint& other) {
    return &other != &point && gap(label, other.position) <= 2 * own;
  });
}

}  // namespace

double overlap(const Box& left, const Box& right) {
  const double width = std::min(left.right, right.right) - std::max(left.left, right.left);
  const double height = std::min(left.bottom, right.bottom) - std::max(left.top, right.top);
  return width > 0 && height > 0 ? width * height : 0;
}

double gap(const Box& box, const Position& position) {
  const double dx = std::max({box.left - position.x, 0.0, position.x - box.right});
  const double dy = std::max({box.top - position.y, 0.0, position.y - box.bottom});
  return std::hypot(dx, dy);
}

std::vector<Box> place_labels(const std::vector<LabelledPoint>& points, double height,
                              double marker, const std::vector<std::vector<Position>>& lines,
                              const Box& bounds) {
  // Covering a label or a marker costs more than the largest distance, covering a line less.
  constexpr double for_a_label = 100;
  constexpr double for_a_marker = 100;
  constexpr double for_a_line = 1.5;
  // Ambiguity costs more than the next distance, from which a line leads to the point.
  constexpr double for_a_mistake = 30;
  std::vector<Box> placed;
  for (const auto& point : points) {
    Box best;
    double lowest = std::numeric_limits<double>::infinity();
    for (const double distance : distances) {
      for (int k = 0; k < directions; ++k) {
        const Box box =
            label_at(point, height, 2 * c10::pi<double> * k / directions, marker + distance);
        double cost = distance;
        if (!is_within(box, bounds)) cost += 1e6;
        for (const auto& other : placed) cost += for_a_label * overlap(box, other);
        for (const auto& other : points) {
          cost += for_a_marker * overlap(box, around(other.position, marker));
        }
        if (is_mistakable(box, point, points)) cost += for_a_mistake;
        for (const auto& line : lines) cost += for_a_line * length_within(line, box);
        if (cost < lowest) {
          lowest = cost;
          best = box;
        }
      }
    }
    placed.push_back(best);
  }
  return placed;
}

}  // namespace mlaan
