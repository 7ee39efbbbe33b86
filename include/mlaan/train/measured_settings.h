// Settings that are settled by measuring on the machine at hand.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/config.h>

#include <string>

namespace mlaan {

/// Replaces engine.memory_format = "auto" by "channels_last" or "contiguous", whichever is faster
/// for the first units of the backbone at the run's batch, forward and backward. The configuration
/// then says which, and its origin the times, so that a run that goes on does not measure again.
/// Networks and random generators of the run are left as they are: a backbone made for the purpose
/// is measured.
/// \return "engine.memory_format = … (measured: …)", or "" if there was nothing to settle.
std::string settle_memory_format(Config& config, const DataSource& data);

/// Refuses engine.precision = "bfloat16" on a CPU that is slower in it, where
/// engine.check_precision asks for that: one convolution unit of the backbone, at the run's batch,
/// forward and backward. A precision that has passed sets engine.check_precision to false, so that
/// a run that goes on does not measure again.
/// \throws UserError with the times.
void check_precision_pays(Config& config, const DataSource& data);

/// The decisions themselves. A difference of 5 % or less counts as none, so that they come out the
/// same every time.
std::string faster_memory_format(double channels_last_seconds, double contiguous_seconds);
void refuse_slower_precision(double float32_seconds, double bfloat16_seconds);

}  // namespace mlaan
