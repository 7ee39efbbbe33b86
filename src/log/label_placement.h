// Finds room for the labels of a plot's points.
#pragma once

#include <vector>

namespace mlaan {

/// A rectangle of a picture, y downwards.
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

/// A point that wants a label of some width.
struct LabelledPoint {
  Position position;
  double width = 0;
};

/// How far from its point a label may be without a line to it.
constexpr double beside = 16;

/// Where the label of each point goes: as near to its point as it can without covering another
/// label, a marker or - less important - a line. A label without a line to its point is no nearer
/// to another's, where that can be had.
/// \param height of every label.
/// \param marker radius of every marker.
/// \param lines chains of positions.
/// \param bounds that no label leaves.
std::vector<Box> place_labels(const std::vector<LabelledPoint>& points, double height,
                              double marker, const std::vector<std::vector<Position>>& lines,
                              const Box& bounds);

/// The area that two boxes share.
double overlap(const Box& left, const Box& right);

/// From the position to the nearest of the box; 0 within.
double gap(const Box& box, const Position& position);

}  // namespace mlaan
