// Sends tensors between the stages of a training, each of which is a rank.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/stage_transport.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace mlaan {

/// Sends a tensor as one message of bytes, with its metadata ahead of the elements. A receiver
/// posts the receive of a channel's next message when it has received the previous one, so that the
/// message arrives while both ranks compute.
class StageLinks final : public StageTransport {
 public:
  /// All ranks have to construct it at the same point, because it reserves tags.
  /// \param group must outlive this object; stage s is its rank s.
  explicit StageLinks(ProcessGroup& group);
  ~StageLinks() override;

  void send(const StageMessage& message, const StageChannel& channel) override;
  StageMessage receive(const StageChannel& channel) override;

 private:
  struct Transfer {
    torch::Tensor bytes;
    std::unique_ptr<Exchange> exchange;
  };
  /// The state of a channel, at either end.
  struct End {
    std::int64_t capacity = 0;  ///< bytes of the receiver's buffer for the next message
    std::deque<Transfer> under_way;
  };

  End& end_of(const StageChannel& channel);
  int tag_of(const StageChannel& channel) const;
  void start_send(End& end, torch::Tensor bytes, const StageChannel& channel);
  Transfer start_receive(std::int64_t bytes, const StageChannel& channel);

  ProcessGroup& group_;
  int first_tag_;
  std::map<std::size_t, End> ends_;
};

}  // namespace mlaan
