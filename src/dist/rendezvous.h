// The store through which ranks find each other: LibTorch's TCPStore.
#pragma once

#include <mlaan/dist/rank_environment.h>

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <string>

namespace mlaan {

/// How a rank reaches the meeting point.
struct Rendezvous {
  c10::intrusive_ptr<c10d::Store> store;
  /// Numeric address from which this machine connects to the meeting point.
  std::string own_address;
};

/// Connects to the store; rank 0 serves it if the launcher does not.
/// \throws PeerError if nobody answers in time.
/// \throws Error if rank 0 cannot serve the store.
Rendezvous meet(const RankEnvironment& place, std::chrono::milliseconds timeout);

/// Another connection to the store, for another thread.
c10::intrusive_ptr<c10d::Store> connect_store(const RankEnvironment& place,
                                              std::chrono::milliseconds timeout);

}  // namespace mlaan
