// A heartbeat of every rank, by which a lost rank can be named.
#include "dist/pulse.h"

#include "dist/store_question.h"
#include "dist/store_text.h"
#include "measure/timing.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <sstream>
#include <thread>
#include <utility>

namespace mlaan {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds between_beats(300);
/// Long enough for several beats of a live rank, on a busy machine too.
constexpr milliseconds to_listen(1200);
/// Limit for all requests to a store that may be gone.
constexpr milliseconds to_ask(2500);
/// Time for other ranks to announce their end.
constexpr milliseconds to_be_heard(2000);
constexpr const char* reason_key = "reason";

std::string beat_key(int rank) {
  return "beat/" + std::to_string(rank);
}
std::string end_key(int rank) {
  return "end/" + std::to_string(rank);
}

/// The form in the store, a single value so that it is set atomically: the exit code, or "-", and
/// the text.
std::string stored_text_of(const EndReason& reason) {
  return (reason.exit_code ? std::to_string(*reason.exit_code) : "-") + " " + reason.text;
}

EndReason reason_of(const std::string& text) {
  const auto code_end = text.find(' ');
  if (code_end == std::string::npos) return {};
  EndReason reason;
  reason.text = text.substr(code_end + 1);
  if (text.front() != '-') reason.exit_code = std::stoi(text.substr(0, code_end));
  return reason;
}

/// The last heartbeat of a rank.
struct Beat {
  std::string text;
  std::int64_t operations = 0;

  static Beat read(c10d::Store& store, int rank) {
    Beat beat;
    beat.text = stored_text(store, beat_key(rank));
    std::istringstream numbers(beat.text);
    std::int64_t number = 0;
    numbers >> number >> beat.operations;
    return beat;
  }
};

std::vector<Beat> read_beats(c10d::Store& store, std::size_t ranks) {
  std::vector<Beat> beats;
  for (std::size_t r = 0; r < ranks; ++r) {
    beats.push_back(Beat::read(store, static_cast<int>(r)));
  }
  return beats;
}

/// Names the ranks without a new heartbeat; if there are none, the rank that was waited for, or
/// else the rank that has begun the fewest operations.
std::string compare(const std::vector<Beat>& before, const std::vector<Beat>& after,
                    std::size_t own, const std::vector<std::string>& names,
                    std::optional<int> other) {
  std::string silent;
  std::optional<std::size_t> behind;
  for (std::size_t r = 0; r < names.size(); ++r) {
    if (r == own) continue;
    if (before[r].text == after[r].text) silent += (silent.empty() ? "" : ", ") + names[r];
    if (after[r].operations < after[behind.value_or(own)].operations) behind = r;
  }
  if (!silent.empty()) return silent + " was lost: killed, stopped or cut off";
  if (other) behind = static_cast<std::size_t>(*other);
  return behind ? names[*behind] + " hangs" : "";
}

bool wait_for_keys(c10d::Store& store, const std::vector<std::string>& keys) {
  const auto deadline = Clock::now() + to_be_heard;
  while (!store.check(keys)) {
    if (Clock::now() >= deadline) return false;
    std::this_thread::sleep_for(milliseconds(20));
  }
  return true;
}

}  // namespace

struct Pulse::State {
  std::mutex mutex;
  std::condition_variable changed;
  bool stopped = false;
  bool ended = false;  ///< whether the thread has ended
  std::int64_t operations = 0;
};

Pulse::Pulse(c10::intrusive_ptr<c10d::Store> store, c10::intrusive_ptr<c10d::Store> connection,
             int rank, std::vector<std::string> names)
    : store_(std::move(store)),
      rank_(rank),
      names_(std::move(names)),
      state_(std::make_shared<State>()) {
  keep_beating(std::move(connection));
}

Pulse::~Pulse() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
}

void Pulse::keep_beating(c10::intrusive_ptr<c10d::Store> connection) {
  std::thread([state = state_, connection = std::move(connection),
               key = beat_key(rank_)]() mutable {
    try {
      std::unique_lock<std::mutex> lock(state->mutex);
      for (std::int64_t number = 0; !state->stopped; ++number) {
        const std::string text = std::to_string(number) + " " + std::to_string(state->operations);
        lock.unlock();
        connection->set(key, as_bytes(text));
        lock.lock();
        state->changed.wait_for(lock, between_beats, [&] { return state->stopped; });
      }
    } catch (const std::exception&) {
      // The store is gone, and so is the process that served it; operations fail by themselves.
    }
    connection.reset();
    const std::lock_guard<std::mutex> lock(state->mutex);
    state->ended = true;
    state->changed.notify_all();
  }).detach();
}

void Pulse::note_operation() {
  const std::lock_guard<std::mutex> lock(state_->mutex);
  ++state_->operations;
}

EndReason Pulse::known_reason(c10d::Store& store) {
  return reason_of(stored_text(store, reason_key));
}

EndReason Pulse::find_reason(std::optional<int> other) {
  const auto own = static_cast<std::size_t>(rank_);
  const auto ask = [store = store_, names = names_, own, other]() -> std::string {
    std::string known = stored_text(*store, reason_key);
    if (!known.empty()) return known;
    const auto before = read_beats(*store, names.size());
    std::this_thread::sleep_for(to_listen);
    known = stored_text(*store, reason_key);
    if (!known.empty()) return known;
    const std::string found = compare(before, read_beats(*store, names.size()), own, names, other);
    if (found.empty()) return "";
    const auto first = store->compareSet(reason_key, {}, as_bytes(stored_text_of({found, {}})));
    return {first.begin(), first.end()};
  };
  const auto reason = ask_once(ask, to_ask);
  if (reason) return reason_of(*reason);
  return {names_[0] + " was lost, or the rendezvous", {}};
}

EndReason Pulse::wait_for_first(const std::string& key, milliseconds longest) {
  // Only silence can show here that rank 0 is lost: if rank 0 serves the store, the store ends with
  // it, and if a launcher serves it, the launcher ends all ranks. A busy machine causes silence
  // too, so the limit is long.
  const std::string lost =
      stored_text_of({names_[0] + " was lost: killed, stopped or cut off", {}});
  const auto ask = [store = store_, key, longest, lost, heard = std::string(),
                    heard_at = Clock::now()]() mutable -> std::optional<std::string> {
    if (store->check({key})) return "";
    const std::string reason = stored_text(*store, reason_key);
    if (!reason.empty()) return reason;
    const auto now = Clock::now();
    const std::string beat = stored_text(*store, beat_key(0));
    if (beat != heard) {
      heard = beat;
      heard_at = now;
    }
    if (now - heard_at > longest) return lost;
    return std::nullopt;
  };
  return reason_of(ask_until_answered(ask, longest).value_or(lost));
}

void Pulse::tell_end(const std::string& why, int exit_code) {
  const EndReason reason{names_[static_cast<std::size_t>(rank_)] + " ended: " + why, exit_code};
  ask_once(
      [store = store_, rank = rank_, why, reason] {
        store->compareSet(reason_key, {}, as_bytes(stored_text_of(reason)));
        store->set(end_key(rank), as_bytes(why));
        return std::string();
      },
      to_ask);
}

bool Pulse::is_told_by_rank_0(const std::string& why) {
  const auto told = ask_once(
      [store = store_] {
        return wait_for_keys(*store, {end_key(0)}) ? stored_text(*store, end_key(0))
                                                   : std::string();
      },
      to_ask);
  return told && *told == why;
}

void Pulse::let_others_end() {
  std::vector<std::string> keys;
  for (std::size_t r = 0; r < names_.size(); ++r) {
    if (static_cast<int>(r) != rank_) keys.push_back(end_key(static_cast<int>(r)));
  }
  ask_once(
      [store = store_, keys] {
        wait_for_keys(*store, keys);
        return std::string();
      },
      to_ask);
}

void Pulse::stop() {
  std::unique_lock<std::mutex> lock(state_->mutex);
  state_->stopped = true;
  state_->changed.notify_all();
  state_->changed.wait_for(lock, to_ask, [this] { return state_->ended; });
}

}  // namespace mlaan
