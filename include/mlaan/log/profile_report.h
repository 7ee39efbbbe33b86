// Reports of step profiles, as a table and as a trace for trace viewers.
#pragma once

#include <mlaan/train/profile.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A table with one line per module: seconds by phase, and the highest bytes during its operations;
/// then the operation that has the step's peak, and what is alive there.
std::string profile_table(const StepProfile& profile);

/// Writes a trace for chrome://tracing and Perfetto: one process per method, operations one after
/// the other, live and peak bytes as counters.
void write_trace(const std::filesystem::path& path, const std::vector<StepProfile>& profiles);

}  // namespace mlaan
