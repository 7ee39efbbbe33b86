// How the ranks of a training wait until all of them have started.
#include "dist/meeting.h"

#include "dist/pulse.h"
#include "dist/store_question.h"
#include "dist/store_text.h"
#include "measure/timing.h"

#include <mlaan/core/quantity.h>

#include <unistd.h>

#include <array>
#include <memory>
#include <optional>

namespace mlaan {
namespace {

using std::chrono::milliseconds;

std::string host_key(int rank) {
  return "host/" + std::to_string(rank);
}

/// Waits until a rank has registered.
/// \return its host; nothing if the store is gone.
std::optional<std::string> wait_for_rank(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                         const RankEnvironment& place, double timeout_seconds,
                                         milliseconds longest) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  const std::string late = name_of_rank(rank) + " of " + std::to_string(place.size) +
                           " has not connected within " + format_seconds(timeout_seconds) + " to " +
                           place.address + ":" + std::to_string(place.port) +
                           "; all ranks must be started, as " + place.launcher + " does";
  const auto reason = std::make_shared<EndReason>();
  auto host = ask_until_answered(
      [store, rank, deadline, late, reason]() -> std::optional<std::string> {
        if (store->check({host_key(rank)})) return stored_text(*store, host_key(rank));
        *reason = Pulse::known_reason(*store);
        if (reason->text.empty() && Clock::now() >= deadline) reason->text = late;
        if (reason->text.empty()) return std::nullopt;
        return "";
      },
      longest);
  if (host && !reason->text.empty()) throw PeerError(reason->text, reason->exit_code);
  return host;
}

}  // namespace

std::string own_host() {
  std::array<char, 256> name{};
  gethostname(name.data(), name.size() - 1);
  return name.data();
}

std::string name_of_rank(int rank) {
  return "rank " + std::to_string(rank);
}

std::vector<std::string> meet_all(const c10::intrusive_ptr<c10d::Store>& store,
                                  const RankEnvironment& place, double timeout_seconds,
                                  milliseconds longest) {
  const std::string host = own_host();
  store->set(host_key(place.rank), as_bytes(host));
  std::vector<std::string> names;
  for (int r = 0; r < place.size; ++r) {
    const auto host_of_rank = wait_for_rank(store, r, place, timeout_seconds, longest);
    if (!host_of_rank) {
      throw PeerError("rank 0 was lost, or the rendezvous at " + place.address + ":" +
                      std::to_string(place.port));
    }
    names.push_back(name_of_rank(r) + " (" + *host_of_rank + ")");
  }
  return names;
}

}  // namespace mlaan
