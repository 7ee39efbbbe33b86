// Processes that work together: what they tell each other, and what happens when one is lost.
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

/// Another rank has ended, hangs or is cut off. The message names it, its host, and what this rank
/// was waiting for.
class PeerError : public Error {
 public:
  /// \param told_code exit code of that rank, where it has said itself why it ends.
  explicit PeerError(const std::string& message, std::optional<int> told_code = {})
      : Error(message), told_code_(told_code) {}
  bool told_by_peer() const { return told_code_.has_value(); }
  /// With which this process ends as well: launchers pass on that of the first to end.
  int exit_code() const { return told_code_.value_or(1); }

 private:
  std::optional<int> told_code_;
};

/// Something that is under way between ranks.
class Exchange {
 public:
  virtual ~Exchange() = default;
  /// Whether wait() would not have to.
  virtual bool is_done() = 0;
  /// \throws PeerError where a rank is lost.
  virtual void wait() = 0;
};

/// What a rank has sent, and how long it has waited for others.
struct Traffic {
  std::int64_t bytes = 0;
  double seconds = 0;
};

/// All ranks of a training, over LibTorch's c10d with Gloo. All of them call the same operations in
/// the same order, each from one thread. `what` says what an operation is for, as messages then
/// name it: "the sum of gradients".
class ProcessGroup {
 public:
  /// Waits until all ranks are there.
  /// \param timeout_seconds within which every operation must come to its end.
  /// \throws UserError where this build has no c10d, and PeerError for ranks that do not come.
  ProcessGroup(const RankEnvironment& place, double timeout_seconds);
  /// Without finish() before it, leaves the others alone, who then end as well.
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

  /// Begins to sum a contiguous tensor over all ranks, in place. It may be read and written again
  /// after wait().
  std::unique_ptr<Exchange> start_sum(const torch::Tensor& tensor, const std::string& what);
  void sum(const torch::Tensor& tensor, const std::string& what);
  /// Begins to send a contiguous tensor on the CPU to a rank, which receives with the same tag, and
  /// in this order. Nobody writes it before wait() returns, which is when the other has it.
  std::unique_ptr<Exchange> start_send(const torch::Tensor& tensor, int to, int tag,
                                       const std::string& what);
  /// Begins to receive into such a tensor, which may be longer than what comes.
  std::unique_ptr<Exchange> start_receive(const torch::Tensor& tensor, int from, int tag,
                                          const std::string& what);
  /// A number from which on so many tags are free: transfers that were given up may leave theirs in
  /// use for ever. Alike on ranks that call this alike.
  int reserve_tags(int count);
  /// The highest of all ranks' numbers.
  std::int64_t highest(std::int64_t number, const std::string& what);
  /// Gives all ranks one rank's values of these tensors, in place.
  void broadcast(const std::vector<torch::Tensor>& tensors, const std::string& what, int root = 0);
  /// Rank 0's text.
  std::string broadcast(const std::string& text, const std::string& what);
  /// Every rank's text, in their order.
  std::vector<std::string> gather(const std::string& text, const std::string& what);

  /// Has rank 0 do something that may take as long as it wants, and waits for it while rank 0
  /// gives signs of life.
  void wait_for_first(const std::function<void()>& work, const std::string& what);

  Traffic traffic() const;

  /// Waits for the others, and takes leave of them in good order. Nothing may follow.
  void finish();

  /// Tells the others why this rank ends without them. Nothing may follow, and the process has to
  /// end without destroying what is static: threads may hang in operations that never end.
  /// \param exit_code with which they then end as well.
  /// \return whether it is the one to say so; not where rank 0 says the same.
  bool abandon(const std::string& why, int exit_code);

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

/// A named value that all ranks must agree on.
using Agreed = std::pair<std::string, std::string>;

/// \throws UserError naming the first of rank 0's values that another rank has otherwise.
void check_agreement(ProcessGroup& group, const std::vector<Agreed>& values);

/// The store by which ranks find each other, served by this process on a free port of this machine.
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
