// Checks whether a run can be resumed with the present settings and data.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/settings.h>

namespace mlaan {

/// \throws UserError if the data set's classes or their order differ from the checkpoint's; and,
///         for a checkpoint within an epoch, if the rest of that epoch would be another one now.
void check_goes_on(const Checkpoint& checkpoint, const Settings& settings, const DataSource& data);

/// \throws UserError if the data set is split into training, validation and test images in another
///         way than for the checkpoint, so that the network would be validated or tested on images
///         that it was trained on.
void check_same_split(const Checkpoint& checkpoint, const Settings& settings,
                      const DataSource& data);

}  // namespace mlaan
