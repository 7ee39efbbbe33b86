// A sign of life that every rank gives, so that one that is lost can be named.
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

/// Why all ranks end, as the first that knew has said it.
struct EndReason {
  std::string text;              ///< "rank 1 (node03) was lost", or "" where nobody has said any
  std::optional<int> exit_code;  ///< of a rank that has said so itself, which all then end with
};

/// Tells the store, every fraction of a second and from a thread of its own, that this rank lives
/// and how many operations it has begun. Of a failed operation others know no more than that a
/// connection is closed or late, and whose is no sure sign: ranks that end because of another one
/// close theirs too.
class Pulse {
 public:
  /// \param connection to the store, for that thread alone.
  /// \param names what messages call each rank.
  Pulse(c10::intrusive_ptr<c10d::Store> store, c10::intrusive_ptr<c10d::Store> connection, int rank,
        std::vector<std::string> names);
  /// Lets go of the thread, which may hang.
  ~Pulse();
  Pulse(const Pulse&) = delete;
  Pulse& operator=(const Pulse&) = delete;

  void set_names(std::vector<std::string> names) { names_ = std::move(names); }

  void note_operation();

  /// What others have said of why they end.
  static EndReason known_reason(c10d::Store& store);

  /// What is known of why an operation failed. Takes a second or two, whatever state the store is
  /// in.
  /// \param other rank that alone was waited for; none: all.
  EndReason find_reason(std::optional<int> other = {});

  /// Waits until rank 0 has set the key.
  /// \param longest silence of rank 0 to bear.
  /// \return why it will not; no text where it has.
  EndReason wait_for_first(const std::string& key, std::chrono::milliseconds longest);

  /// Says why this rank ends, and with which code, for the others' find_reason().
  void tell_end(const std::string& why, int exit_code);
  /// Whether rank 0 ends for the same reason; waits a little for it to say so.
  bool is_told_by_rank_0(const std::string& why);
  /// Waits a little until all others have told their end, for a rank whose store ends with it.
  void let_others_end();

  /// This rank has ended in good order, and is silent from now on.
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
