// How the ranks of a training wait until all of them have started.
#pragma once

#include <mlaan/dist/process_group.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <string>
#include <vector>

namespace mlaan {

/// The name of this machine.
std::string own_host();

/// "rank 3"
std::string name_of_rank(int rank);

/// Registers this rank in the store, and waits until all ranks have registered.
/// \param longest time to wait for an answer of the store.
/// \return the names of the ranks: "rank 3 (node07)".
/// \throws PeerError if a rank does not come in time, or has ended.
std::vector<std::string> meet_all(const c10::intrusive_ptr<c10d::Store>& store,
                                  const RankEnvironment& place, double timeout_seconds,
                                  std::chrono::milliseconds longest);

}  // namespace mlaan
