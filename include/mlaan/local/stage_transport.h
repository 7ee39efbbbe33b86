// How the stages of a training send each other tensors.
#pragma once

#include <torch/types.h>

#include <cstddef>
#include <string>

namespace mlaan {

/// One way from a stage to another one, which tensors of one kind take: "the output of module 3".
struct StageChannel {
  std::size_t number = 0;  ///< that no other channel of the plan has
  std::size_t from = 0;    ///< stages, from 0
  std::size_t to = 0;
  std::string what;  ///< for messages
  /// Messages that may be under way when another one is sent.
  std::size_t most_under_way = 1;
};

struct StageMessage {
  torch::Tensor tensor;  ///< undefined: a zero
  torch::Dtype dtype{};  ///< that it is read as; its own may be smaller
};

/// Sends tensors between the stages of a training. What is sent on a channel arrives in that order,
/// bit for bit, with its strides.
class StageTransport {
 public:
  virtual ~StageTransport() = default;

  /// Returns as soon as few enough messages of the channel are under way. Nobody changes the
  /// tensor's numbers afterwards.
  virtual void send(const StageMessage& message, const StageChannel& channel) = 0;
  /// Waits for the next message. Nobody else holds what is received.
  virtual StageMessage receive(const StageChannel& channel) = 0;
};

}  // namespace mlaan
