// Runs a command as one of several ranks.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/dist/rank_environment.h>
#include <mlaan/train/settings.h>

#include <functional>
#include <string>

namespace mlaan::cli {

/// \throws UserError if a launcher has started this process as one of several.
void refuse_ranks(const std::string& command);

/// Connects to the other ranks, does the work and disconnects. An exception of the work is printed,
/// only once if all ranks throw the same, and ends the process.
/// \return the exit code.
int run_as_rank(const RankEnvironment& place, double timeout_seconds,
                const std::function<int(ProcessGroup&)>& work);

/// The number of processes that settings ask for; by default, the number of stages.
int processes_asked_for(const Settings& settings);

/// Runs a command in as many processes as its settings ask for: as a rank of those that a launcher
/// has started; by starting them here; or alone, with a null group.
/// \return the exit code.
int run_in_processes(const Settings& settings, const std::function<int(ProcessGroup*)>& work);

/// Settles what depends on this process's rank: layout, device, and the number of threads unless it
/// is given. Without a group the settings are returned as they are.
/// \throws UserError as check_started_alike().
Settings settled_in_rank(const Settings& settings, ProcessGroup* group);

/// The signal that any of the ranks has received; 0: none.
int received_signal(ProcessGroup* group);

/// Sets the number of processes; and for device "cuda", the rank's own device by its number.
Settings with_layout(const Settings& settings, const ProcessGroup& group);

/// \throws UserError naming the first setting that differs between ranks, or the program if it
///         does.
void check_started_alike(const Settings& settings, ProcessGroup& group);

/// The number of processors for this rank, if its machine's are divided among the ranks there.
int processors_of_rank(ProcessGroup& group);

}  // namespace mlaan::cli
