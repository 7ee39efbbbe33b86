// The network of a finished run with its early exits, and how each of them does.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/exported_network.h>
#include <mlaan/train/settings.h>

namespace mlaan {

/// The network of a checkpoint by itself, in evaluation mode, and in `info` what is known of it
/// without data.
/// \param settings of the checkpoint's run.
MultiExitNetwork read_network(const Checkpoint& checkpoint, const Settings& settings,
                              ExportInfo& info);

/// The same with an exit behind each module that has a net which classifies; of several the one of
/// the lowest error on the images that the run held out. In `info` the errors of all of them on
/// these, and on the test images.
/// \throws UserError for a run whose method has no such nets, as end-to-end training has none.
MultiExitNetwork read_network_with_exits(const Checkpoint& checkpoint, const Settings& settings,
                                         const DataSource& data, ExportInfo& info);

}  // namespace mlaan
