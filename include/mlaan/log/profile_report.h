// Profiles of steps, for people and for trace viewers.
#pragma once

#include <mlaan/train/profile.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// One line a module: seconds by phase, the highest bytes while it was worked on; and in which
/// operation the peak is, and what is alive there.
std::string profile_table(const StepProfile& profile);

/// A trace that chrome://tracing and Perfetto open: one process a method, operations one after the
/// other, live and peak bytes as counters.
void write_trace(const std::filesystem::path& path, const std::vector<StepProfile>& profiles);

}  // namespace mlaan
