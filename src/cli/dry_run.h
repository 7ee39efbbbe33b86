// mlaan train --dry-run: tests on a few batches whether a run would work.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/settings.h>

#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

}  // namespace mlaan

namespace mlaan::cli {

/// Trains by each of the methods until every phase has done a step, validates and tests on one
/// batch, writes and reads a checkpoint, and prints the result. Leaves no files behind.
/// \param group the processes that train together; null for a single process.
/// \return the exit code.
int try_run(const Settings& settings, const DataSource& data,
            const std::vector<std::string>& methods, ProcessGroup* group);

}  // namespace mlaan::cli
