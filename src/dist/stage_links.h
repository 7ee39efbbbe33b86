// Tensors sent from stage to stage of a training, each of which is a rank.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/stage_transport.h>

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <vector>

namespace mlaan {

/// Sends a tensor as one message of bytes, with its type and strides ahead of them. A receiver
/// waits for the next message of a channel from the one before on, so that it comes in while both
/// compute.
class StageLinks final : public StageTransport {
 public:
  /// To be made by all ranks alike. \param group that outlives it; stage s is its rank s.
  explicit StageLinks(ProcessGroup& group);
  ~StageLinks() override;

  void send(const StageMessage& message, const StageChannel& channel) override;
  StageMessage receive(const StageChannel& channel) override;

 private:
  struct Transfer {
    torch::Tensor bytes;
    std::unique_ptr<Exchange> exchange;
  };
  /// Of one channel, at either end.
  struct End {
    std::int64_t capacity = 0;  ///< bytes of a message that the receiver has room for unasked
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
