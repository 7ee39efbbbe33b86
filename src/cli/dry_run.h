// mlaan train --dry-run: whether a run would work, on as few batches as it takes to know.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/settings.h>

#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

}  // namespace mlaan

namespace mlaan::cli {

/// Trains by each of the methods until a step of every phase is done, validates and tests on one
/// batch, writes a checkpoint and reads it back, and tells what came of it. Leaves nothing behind.
/// \param group of the processes that do so together; null: this one alone.
/// \return the exit code.
int try_run(const Settings& settings, const DataSource& data,
            const std::vector<std::string>& methods, ProcessGroup* group);

}  // namespace mlaan::cli
