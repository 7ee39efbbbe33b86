// Whether a run can go on with the settings and the data of now.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/settings.h>

namespace mlaan {

/// \throws UserError if the data's classes are not the checkpoint's, in its order; and, for a
///         checkpoint within an epoch, if what is left of that epoch is another now.
void check_goes_on(const Checkpoint& checkpoint, const Settings& settings, const DataSource& data);

/// \throws UserError if training, validation and test images are parted otherwise than for the
///         checkpoint, so that it would be validated or tested on images that it was trained on.
void check_same_split(const Checkpoint& checkpoint, const Settings& settings,
                      const DataSource& data);

}  // namespace mlaan
