// How the ranks of a training find that all of them are there.
#include "dist/meeting.h"

#include "dist/pulse.h"
#include "dist/store_question.h"
#include "dist/store_text.h"
#include "measure/timing.h"

#include <mlaan/core/quantity.h>

#include <unistd.h>

#include <array>
#include <optional>

namespace mlaan {
namespace {

using std::chrono::milliseconds;

std::string host_key(int rank) {
  return "host/" + std::to_string(rank);
}

/// Waits for a rank to come. \return its host; nothing where the store is gone.
std::optional<std::string> wait_for_rank(const c10::intrusive_ptr<c10d::Store>& store, int rank,
                                         const RankEnvironment& place, double timeout_seconds,
                                         milliseconds longest) {
  const auto deadline = Clock::now() + std::chrono::duration<double>(timeout_seconds);
  const std::string late = name_of_rank(rank) + " of " + std::to_string(place.size) +
                           " has not come within " + format_seconds(timeout_seconds) + " to " +
                           place.address + ":" + std::to_string(place.port) +
                           "; all ranks have to be started, as " + place.launcher + " does";
  // Of a reason the first letter is a blank, which no host's name has.
  const auto answer = ask_until_answered(
      [store, rank, deadline, late]() -> std::optional<std::string> {
        if (store->check({host_key(rank)})) return stored_text(*store, host_key(rank));
        const std::string reason = Pulse::known_reason(*store);
        if (!reason.empty()) return " " + reason;
        if (Clock::now() >= deadline) return " " + late;
        return std::nullopt;
      },
      longest);
  if (answer && !answer->empty() && answer->front() == ' ') {
    throw PeerError(answer->substr(1), Pulse::is_told(*answer));
  }
  return answer;
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
      throw PeerError("rank 0 was lost, or the place where the ranks meet, " + place.address + ":" +
                      std::to_string(place.port));
    }
    names.push_back(name_of_rank(r) + " (" + *host_of_rank + ")");
  }
  return names;
}

}  // namespace mlaan
