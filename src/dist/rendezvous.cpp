// The store through which ranks find each other: LibTorch's TCPStore.
#include "dist/rendezvous.h"

#include "core/libtorch_compat.h"
#include "core/libtorch_error.h"
#include "measure/timing.h"

#include <mlaan/dist/process_group.h>

#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <optional>
#include <thread>

namespace mlaan {
namespace {

/// The address from which this machine connects to a host; nothing if nobody answers. c10d would
/// retry too, but warns on stderr at each attempt.
std::optional<std::string> address_towards(const std::string& host, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &found) != 0) {
    return std::nullopt;
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> addresses(found, freeaddrinfo);
  std::optional<std::string> own;
  for (const auto* address = found; address != nullptr && !own; address = address->ai_next) {
    const int socket = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (socket < 0) continue;
    sockaddr_storage local{};
    socklen_t length = sizeof(local);
    std::array<char, NI_MAXHOST> text{};
    const bool answered = connect(socket, address->ai_addr, address->ai_addrlen) == 0 &&
                          getsockname(socket, reinterpret_cast<sockaddr*>(&local), &length) == 0 &&
                          getnameinfo(reinterpret_cast<sockaddr*>(&local), length, text.data(),
                                      text.size(), nullptr, 0, NI_NUMERICHOST) == 0;
    if (answered) own = text.data();
    close(socket);
  }
  return own;
}

/// \param port 0: any free port.
c10::intrusive_ptr<c10d::TCPStore> open_store(
    const std::string& address, std::uint16_t port, bool serve,
    std::chrono::milliseconds timeout = c10d::Store::kDefaultTimeout) {
  c10d::TCPStoreOptions options;
  options.port = port;
  options.isServer = serve;
  options.waitWorkers = false;
  options.timeout = timeout;
  compat::use_plain_sockets(options);
  return c10::make_intrusive<c10d::TCPStore>(address, options);
}

/// The store with a prefix of its own for each start, so that restarted ranks do not see old keys.
c10::intrusive_ptr<c10d::Store> of_this_start(const RankEnvironment& place,
                                              c10::intrusive_ptr<c10d::Store> store) {
  return c10::make_intrusive<c10d::PrefixStore>("mlaan/" + std::to_string(place.restarts),
                                                std::move(store));
}

std::string meeting_point(const RankEnvironment& place) {
  return place.address + ":" + std::to_string(place.port);
}

}  // namespace

Rendezvous meet(const RankEnvironment& place, std::chrono::milliseconds timeout) {
  const auto deadline = Clock::now() + timeout;
  Rendezvous rendezvous;
  const bool serves = place.rank == 0 && !place.store_is_served;
  try {
    if (serves) rendezvous.store = open_store(place.address, place.port, /*serve=*/true, timeout);
  } catch (const std::exception& error) {
    throw Error("rank 0 cannot listen at " + meeting_point(place) + ", the rendezvous set by " +
                place.launcher + ": " + first_line(error.what()) +
                "; set MASTER_PORT to a free port");
  }
  for (;;) {
    const auto own = address_towards(place.address, place.port);
    if (own) {
      rendezvous.own_address = *own;
      break;
    }
    if (Clock::now() >= deadline) {
      throw PeerError("no answer at " + meeting_point(place) + ", the rendezvous set by " +
                      place.launcher + "; has rank 0 been started?");
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  if (!serves) rendezvous.store = open_store(place.address, place.port, /*serve=*/false, timeout);
  rendezvous.store = of_this_start(place, std::move(rendezvous.store));
  return rendezvous;
}

c10::intrusive_ptr<c10d::Store> connect_store(const RankEnvironment& place,
                                              std::chrono::milliseconds timeout) {
  return of_this_start(place, open_store(place.address, place.port, /*serve=*/false, timeout));
}

class RendezvousServer::Implementation {
 public:
  std::uint16_t port() const { return store_->getPort(); }

 private:
  c10::intrusive_ptr<c10d::TCPStore> store_ = open_store("127.0.0.1", 0, /*serve=*/true);
};

RendezvousServer::RendezvousServer() : implementation_(std::make_unique<Implementation>()) {}
RendezvousServer::~RendezvousServer() = default;

std::uint16_t RendezvousServer::port() const {
  return implementation_->port();
}

}  // namespace mlaan
