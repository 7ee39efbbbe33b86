// A heartbeat of every rank, by which a lost rank can be named.
#pragma once

#include <torch/csrc/distributed/c10d/Store.hpp>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// Why all ranks end, as the first rank that knew has stated it.
struct EndReason {
  std::string text;              ///< "rank 1 (node03) was lost"; "": no rank has stated a reason
  std::optional<int> exit_code;  ///< of a rank that has announced its end, for all ranks to use
};

/// Reports to the store, several times a second and from a thread of its own, that this rank is
/// alive and how many operations it has begun. Without it a lost rank could not be named: a failed
/// operation only tells that some connection is closed or late, and ranks that end because of
/// another one close their connections too.
class Pulse {
 public:
  /// \param connection to the store, for the thread alone.
  /// \param names of the ranks in messages.
  Pulse(c10::intrusive_ptr<c10d::Store> store, c10::intrusive_ptr<c10d::Store> connection, int rank,
        std::vector<std::string> names);
  /// Does not wait for the thread, which may hang.
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  void set_names(std::vector<std::string> names) { names_ = std::move(names); }

  /// Counts an operation that this rank begins.
  void note_operation();

  /// The reason that a rank has stated for ending.
  static EndReason known_reason(c10d::Store& store);

  /// Finds out why an operation failed. Takes a second or two, whatever state the store is in.
  /// \param other rank that alone was waited for; none: all.
  EndReason find_reason(std::optional<int> other = {});

  /// Waits until rank 0 has set the key.
  /// \param longest silence of rank 0 that is tolerated.
  /// \return why the key will not be set; an empty text if it is set.
  EndReason wait_for_first(const std::string& key, std::chrono::milliseconds longest);

  /// States why this rank ends, and with which exit code, for the others' find_reason().
  void tell_end(const std::string& why, int exit_code);
  /// Whether rank 0 ends for the same reason; waits a little for its statement.
  bool is_told_by_rank_0(const std::string& why);
  /// Waits a little until all others have announced their end. For a rank whose store ends with it.
  void let_others_end();

  /// Ends the heartbeat of a rank that has finished in good order.
  void stop();

 private:
  struct State;
  void keep_beating(c10::intrusive_ptr<c10d::Store> connection);

  c10::intrusive_ptr<c10d::Store> store_;
  int rank_;
  std::vector<std::string> names_;
  std::shared_ptr<State> state_;
};

}  // namespace mlaan
