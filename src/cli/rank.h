// Commands that run as one of several processes.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/dist/rank_environment.h>
#include <mlaan/train/settings.h>

#include <functional>
#include <string>

namespace mlaan::cli {

/// \throws UserError where a launcher has started this process as one of several.
void refuse_ranks(const std::string& command);

/// Joins the other ranks, works, and takes leave of them. What the work throws is told, once for
/// all ranks where they throw the same, and ends the process.
/// \return the exit code.
int run_as_rank(const RankEnvironment& place, double timeout_seconds,
                const std::function<int(ProcessGroup&)>& work);

/// Writes down how many processes there are, and takes the rank's own device where they are
/// numbered.
Settings with_layout(const Settings& settings, const ProcessGroup& group);

/// \throws UserError naming the first setting, or the program, that another rank has otherwise.
void check_started_alike(const Settings& settings, ProcessGroup& group);

/// The processors that are this rank's where those of its machine are divided among its ranks.
int processors_of_rank(ProcessGroup& group);

}  // namespace mlaan::cli
