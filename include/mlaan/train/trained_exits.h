// The network of a finished run with its early exits, and the error of each exit.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/settings.h>

namespace mlaan {

/// The network of a checkpoint without exits, in evaluation mode.
/// \param settings of the checkpoint's run.
/// \param info set to all that is known without the data.
MultiExitNetwork read_network(const Checkpoint& checkpoint, const Settings& settings,
                              ExportInfo& info);

/// The network of a checkpoint with an exit after each module that has a classifying net; of
/// several nets, the one with the lowest error on the images that the run held out.
/// \param info set to all that is known, with the errors of the exits on these images and on the
///         test images.
/// \throws UserError for a run whose method has no such nets, such as end-to-end training.
MultiExitNetwork read_network_with_exits(const Checkpoint& checkpoint, const Settings& settings,
                                         const DataSource& data, ExportInfo& info);

}  // namespace mlaan
