// The images of a data set that a run trains on, validates on and tests on.
#pragma once

#include <mlaan/data/loader.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// Images per step, summed over all processes.
std::int64_t whole_batch(const Settings& settings);

/// Splits the training set by the run's validation fraction, seed and limits.
/// \throws UserError if no image is left to train on, or too few for the batches to overfit.
Split split_of_run(const Settings& settings, const DataSource& data);

/// Indices of the images that the run is tested on: all, or as many as its limit allows, evenly
/// spaced, since data sets are often sorted by class.
std::vector<std::int64_t> test_images_of_run(const Settings& settings, const DataSource& data);

}  // namespace mlaan
