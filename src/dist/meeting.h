// How the ranks of a training find that all of them are there.
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

/// Tells the other ranks that this one is there, and waits for them.
/// \param longest that the store is asked without an answer.
/// \return what the ranks are called, once all are there: "rank 3 (node07)".
/// \throws PeerError where one does not come in time, or has ended.
std::vector<std::string> meet_all(const c10::intrusive_ptr<c10d::Store>& store,
                                  const RankEnvironment& place, double timeout_seconds,
                                  std::chrono::milliseconds longest);

}  // namespace mlaan
