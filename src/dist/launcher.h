// Starts copies of this program as the ranks of a training, and watches them.
#pragma once

namespace mlaan {

/// Starts this program again `processes` times on this machine, with its own arguments, as ranks
/// that find each other. Signals that request a stop or a checkpoint are passed on to all ranks. If
/// a rank fails, the others have a few seconds to end by themselves, and are then killed.
/// \return the exit code of the rank that failed first, or 0.
/// \throws UserError if an argument names a pipe, which the ranks would find empty.
int launch_ranks(int processes);

/// Whether launch_ranks() has started this process; its errors then appear beside those of other
/// ranks.
bool is_launched();

/// In a rank that launch_ranks() has started: asks the system for a SIGTERM when the launcher ends.
void stop_with_launcher();

}  // namespace mlaan
