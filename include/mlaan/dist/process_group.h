// The process group of a training: collectives, sends, and the detection of lost ranks.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/dist/rank_environment.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace mlaan {

/// Another rank has ended, hangs or is unreachable. The message names that rank, its host, and the
/// operation that this rank was waiting for.
class PeerError : public Error {
 public:
  /// \param told_code exit code of that rank, if it has announced its end itself.
  explicit PeerError(const std::string& message, std::optional<int> told_code = {})
      : Error(message), told_code_(told_code) {}
  /// Whether that rank has announced its end itself.
  bool told_by_peer() const { return told_code_.has_value(); }
  /// Exit code for this process: that of the lost rank, or 1 if it has announced none. Launchers
  /// report the code of the rank that ends first, so all ranks end with the same one.
  int exit_code() const { return told_code_.value_or(1); }

 private:
  std::optional<int> told_code_;
};

/// A collective, a send or a receive that is in progress.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Whether wait() would return at once.
  virtual bool is_done() = 0;
  /// \throws PeerError if a rank is lost.
  virtual void wait() = 0;
};

/// What a rank has sent, and how long it has waited for others.
struct Traffic {
  std::int64_t bytes = 0;  ///< sent by sums, sends and gathers; broadcasts are not counted
  double seconds = 0;      ///< waited for other ranks
};

/// All ranks of a training, connected by LibTorch's c10d with Gloo. All ranks call the same
/// collectives in the same order, each rank from one thread. `what` names an operation's purpose in
/// error messages: "the sum of gradients".
class ProcessGroup {
 public:
  /// Waits until all ranks have connected.
  /// \param timeout_seconds limit for every single operation, in seconds.
  /// \throws UserError if this build has no c10d, Error if rank 0 cannot serve the meeting point,
  ///         and PeerError if a rank does not connect in time.
  ProcessGroup(const RankEnvironment& place, double timeout_seconds);
  /// Without finish() before it, the other ranks lose this one and end as well.
  ~ProcessGroup();
  ProcessGroup(const ProcessGroup&) = delete;
  ProcessGroup& operator=(const ProcessGroup&) = delete;

  const RankEnvironment& place() const;
  int rank() const { return place().rank; }
  int size() const { return place().size; }
  /// The name of this machine.
  const std::string& host() const;
  /// "rank 1 (node03)".
  std::string name_of(int rank) const;

  /// Starts an all-reduce (sum) of a contiguous tensor over all ranks, in place. The tensor must
  /// not be read or written before wait() returns.
  std::unique_ptr<Exchange> start_sum(const torch::Tensor& tensor, const std::string& what);
  /// start_sum() and its wait().
  void sum(const torch::Tensor& tensor, const std::string& what);
  /// Starts a point-to-point send of a contiguous CPU tensor to a rank, which receives with the
  /// same tag; messages of one tag arrive in the order they are sent. The tensor must not be
  /// written before wait() returns, which is when the receiver has the message.
  std::unique_ptr<Exchange> start_send(const torch::Tensor& tensor, int to, int tag,
                                       const std::string& what);
  /// Starts to receive into a contiguous CPU tensor, which may be longer than the message.
  std::unique_ptr<Exchange> start_receive(const torch::Tensor& tensor, int from, int tag,
                                          const std::string& what);
  /// Reserves `count` consecutive tags that no other transfer uses: an abandoned transfer may
  /// occupy its tag for ever. Ranks that make the same calls get the same tags.
  /// \return the first of the tags.
  int reserve_tags(int count);
  /// The maximum of the number over all ranks.
  std::int64_t highest(std::int64_t number, const std::string& what);
  /// Copies rank `root`'s tensors into those of all other ranks, in place; any device and memory
  /// format.
  void broadcast(const std::vector<torch::Tensor>& tensors, const std::string& what, int root = 0);
  /// \return rank 0's text, on every rank.
  std::string broadcast(const std::string& text, const std::string& what);
  /// \return every rank's text, in rank order, on every rank.
  std::vector<std::string> gather(const std::string& text, const std::string& what);

  /// Runs `work` on rank 0 alone, which may take any time; the other ranks wait as long as rank 0
  /// gives signs of life.
  /// \throws PeerError if rank 0 is lost.
  void wait_for_first(const std::function<void()>& work, const std::string& what);

  Traffic traffic() const;

  /// Waits until all ranks have finished, and disconnects. Nothing may be called afterwards.
  void finish();

  /// Tells the other ranks why this rank ends. Nothing may be called afterwards, and the process
  /// must end without destroying static objects: threads may be blocked for ever in an operation.
  /// \param exit_code exit code of this process, with which the other ranks end as well.
  /// \return whether this rank is to report the reason; false if rank 0 reports the same one.
  bool abandon(const std::string& why, int exit_code);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// A named value that all ranks must agree on.
using Agreed = std::pair<std::string, std::string>;

/// \throws UserError naming the first of rank 0's values that differs on another rank.
void check_agreement(ProcessGroup& group, const std::vector<Agreed>& values);

/// The store through which ranks find each other (c10d's TCPStore), served by this process on a
/// free port of this machine.
class RendezvousServer {
 public:
  RendezvousServer();
  ~RendezvousServer();
  RendezvousServer(const RendezvousServer&) = delete;
  RendezvousServer& operator=(const RendezvousServer&) = delete;

  std::uint16_t port() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace mlaan
