// Settings that are settled by measuring on the machine at hand.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/settings.h>

#include <string>

namespace mlaan {

/// The settings with engine.memory_format = "auto" replaced by "channels_last" or "contiguous",
/// whichever is faster for the first units of the backbone at the run's batch, forward and
/// backward. The origin says the times, and a run that goes on with these settings does not measure
/// again. Networks and random generators of the run are left as they are: a backbone made for the
/// purpose is measured.
Settings with_faster_memory_format(const Settings& settings, const DataSource& data);

/// "engine.memory_format = … (measured: …)" where it was measured; else "".
std::string measured_memory_format(const Settings& settings);

/// Refuses engine.precision = "bfloat16" on a CPU that is slower in it, where
/// engine.check_precision asks for that: one convolution unit of the backbone, at the run's batch,
/// forward and backward. In the settings that it gives back the check is off once it has passed, so
/// that a run that goes on does not measure again.
/// \throws UserError with the times.
Settings with_precision_checked(const Settings& settings, const DataSource& data);

/// Both: what a run settles before its Trainer is made.
Settings measured_settings(const Settings& settings, const DataSource& data);

/// The decisions themselves. A difference of 5 % or less counts as none, so that they come out the
/// same every time.
std::string faster_memory_format(double channels_last_seconds, double contiguous_seconds);
void refuse_slower_precision(double float32_seconds, double bfloat16_seconds);

}  // namespace mlaan
