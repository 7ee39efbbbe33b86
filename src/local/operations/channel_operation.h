// Operations that send a message to another stage of a training, or receive one from it.
#pragma once

#include <mlaan/local/operation.h>
#include <mlaan/local/stage_transport.h>

#include <cstddef>
#include <cstdint>
#include <utility>

namespace mlaan {

class ChannelOperation : public Operation {
 public:
  const StageChannel& channel() const { return channel_; }
  bool sends() const { return direction_ == Direction::send; }

 protected:
  enum class Direction : std::uint8_t { send, receive };

  ChannelOperation(Activity activity, std::size_t module, Direction direction, StageChannel channel)
      : Operation(activity, module), direction_(direction), channel_(std::move(channel)) {}

 private:
  Direction direction_;
  StageChannel channel_;
};

}  // namespace mlaan
