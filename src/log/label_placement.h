// Places the labels of a plot's points.
#pragma once

#include <vector>

namespace mlaan {

/// A rectangle in a picture; y points downwards.
struct Box {
  double left = 0;
  double top = 0;
  double right = 0;
  double bottom = 0;
};

struct Position {
  double x = 0;
  double y = 0;
};

/// A point with a label of the given width.
struct LabelledPoint {
  Position position;
  double width = 0;
};

/// The largest distance of a label from its point without a line between them.
constexpr double beside = 16;

/// Positions of the labels, each as near to its point as possible without covering another label, a
/// marker or, less important, a line. If possible, a label without a line to its point is not
/// nearer to another point.
/// \param height of all labels.
/// \param marker radius of all markers.
/// \param lines polylines.
/// \param bounds all labels lie within.
std::vector<Box> place_labels(const std::vector<LabelledPoint>& points, double height,
                              double marker, const std::vector<std::vector<Position>>& lines,
                              const Box& bounds);

/// The area of the intersection of two boxes.
double overlap(const Box& left, const Box& right);

/// The distance from a position to the nearest point of a box; 0 inside.
double gap(const Box& box, const Position& position);

}  // namespace mlaan
