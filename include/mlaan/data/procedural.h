// The embedded data set: textured shapes, drawn on request.
#pragma once

#include <mlaan/data/dataset.h>

#include <cstdint>

namespace mlaan {

struct ProceduralOptions {
  static constexpr const char* section = "procedural";
  std::int64_t train_size = 4000;  ///< number of images
  std::int64_t test_size = 2000;
  std::int64_t side = 32;  ///< height and width of a picture, in pixels

  void describe(FieldList& fields);
};

/// Images of 3×side×side in ten classes: a disk, ring, triangle, star or cross, striped or checked.
/// Shapes vary in rotation, place, size and colour, on a background of smooth waves, with clutter
/// behind and in front of them, uneven light and noise. Nothing is stored: image i of a split is a
/// pure function of the split and of i, the same in every run.
DataSource procedural(const ProceduralOptions& options = {});

DatasetEntry procedural_entry();

}  // namespace mlaan
