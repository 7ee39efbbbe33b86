// Settings that are decided by measuring on this machine.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/settings.h>

#include <string>

namespace mlaan {

/// Replaces engine.memory_format = "auto" by "channels_last" or "contiguous", whichever is faster
/// for a forward and backward pass of the backbone's first units at the run's batch size. The
/// setting's origin states the times, and a run that resumes with these settings does not measure
/// again. A separate backbone is measured, so the run's networks and random generators do not
/// change.
Settings with_faster_memory_format(const Settings& settings, const DataSource& data);

/// "engine.memory_format = … (measured: …)" if it was measured, otherwise "".
std::string measured_memory_format(const Settings& settings);

/// Refuses engine.precision = "bfloat16" on a CPU that is slower with it, if engine.check_precision
/// is set. Measures a forward and backward pass of one convolution unit of the backbone at the
/// run's batch size. In the returned settings the check is off, so that a resumed run does not
/// measure again.
/// \throws UserError with the times.
Settings with_precision_checked(const Settings& settings, const DataSource& data);

/// Both of the above, which a run needs before its Trainer is made.
Settings measured_settings(const Settings& settings, const DataSource& data);

/// The decisions of the functions above. A difference of 5 % or less counts as none, so that a
/// repeated measurement decides the same.
std::string faster_memory_format(double channels_last_seconds, double contiguous_seconds);
void refuse_slower_precision(double float32_seconds, double bfloat16_seconds);

}  // namespace mlaan
