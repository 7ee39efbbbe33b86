// The embedded data set: textured shapes, drawn when asked for.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>

namespace mlaan {

struct ProceduralOptions {
  static constexpr const char* section = "procedural";
  std::int64_t train_size = 10000;
  std::int64_t test_size = 2000;

  void describe(FieldList& fields);
};

/// Images of 3×32×32, each of one of ten shapes - disk, ring, square, triangle, hexagon, star,
/// cross, crescent, half disk, corner - of any rotation, at any place, of many sizes, filled with a
/// random texture in random colours before a textured background, with clutter over and under it,
/// uneven light and noise. The class is the shape alone. Nothing is stored: image i of a split is a
/// pure function of the split and of i, the same in every run.
DataSource procedural(const ProceduralOptions& options = {});

DatasetEntry procedural_entry();

}  // namespace mlaan
