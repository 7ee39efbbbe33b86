// The interface through which the stages of a training send each other tensors.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <string>

namespace mlaan {

/// A channel from one stage to another, for tensors of one kind: "the output of module 3".
struct StageChannel {
  std::size_t number = 0;  ///< unique among the plan's channels
  std::size_t from = 0;    ///< sending stage, from 0
  std::size_t to = 0;      ///< receiving stage, from 0
  std::string what;        ///< the kind of tensors, for messages
  /// Highest number of sent messages that need not have arrived when another one is sent.
  std::size_t most_under_way = 1;
};

struct StageMessage {
  torch::Tensor tensor;  ///< undefined: a zero
  torch::Dtype dtype{};  ///< type that readers convert the tensor to; its own may be smaller
};

/// Sends tensors between the stages of a training, point to point. The messages of a channel arrive
/// in the order in which they were sent, bit for bit, with their strides.
class StageTransport {
 public:
  virtual ~StageTransport() = default;

  /// Waits until at most `most_under_way` of the channel's messages are under way, then sends. The
  /// tensor's values must not change afterwards.
  virtual void send(const StageMessage& message, const StageChannel& channel) = 0;
  /// Waits for the next message, whose memory the caller owns alone.
  virtual StageMessage receive(const StageChannel& channel) = 0;
};

}  // namespace mlaan
