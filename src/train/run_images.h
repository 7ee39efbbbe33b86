// Which images of its data set a run trains on, validates on and tests on.
#pragma once

#include <mlaan/data/loader.h>
#include <mlaan/train/settings.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// Images a step, of all processes together.
std::int64_t whole_batch(const Settings& settings);

/// Under the run's validation fraction, seed and limits.
/// \throws UserError where these leave no image to train on, or fewer than batches to overfit.
Split split_of_run(const Settings& settings, const DataSource& data);

/// Those that the run is tested on: all, or as many as its limit allows, evenly spread, since data
/// sets often lie class by class.
std::vector<std::int64_t> test_images_of_run(const Settings& settings, const DataSource& data);

}  // namespace mlaan
