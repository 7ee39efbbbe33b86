// Where ranks find each other: LibTorch's TCPStore.
#pragma once

#include <mlaan/dist/rank_environment.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <string>

namespace mlaan {

/// How a rank reaches the place where they meet.
struct Rendezvous {
  c10::intrusive_ptr<c10d::Store> store;
  /// Address by which this machine is reached from there, as numbers.
  std::string own_address;
};

/// Joins the store, and serves it on rank 0 where the launcher does not.
/// \throws PeerError where nobody answers in time, Error where it cannot be served.
Rendezvous meet(const RankEnvironment& place, std::chrono::milliseconds timeout);

/// One more connection to the store, for another thread.
c10::intrusive_ptr<c10d::Store> connect_store(const RankEnvironment& place,
                                              std::chrono::milliseconds timeout);

}  // namespace mlaan
