// Starts copies of this program as the ranks of a training, and watches them.
#pragma once

namespace mlaan {

/// Starts this program again, with its own arguments, `processes` times on this machine, as ranks
/// that find each other. Signals that ask for a stop or a checkpoint are passed on to all of them.
/// Where one fails, the others are given a few seconds to end by themselves, and are then killed.
/// \return the exit code of the rank that ended badly first, or 0.
int launch_ranks(int processes);

/// Whether this process is such a rank, whose errors appear beside those of the others.
bool is_launched();

/// In a rank that launch_ranks() has started: to be asked to stop when the launcher is gone.
void stop_with_launcher();

}  // namespace mlaan
