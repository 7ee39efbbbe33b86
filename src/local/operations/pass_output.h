// Sends a module's output to the next stage.
#pragma once

#include "local/operations/channel_operation.h"

#include <utility>

namespace mlaan {

/// Sends a module's output to the stage of the next module.
class SendOutput final : public ChannelOperation {
 public:
  SendOutput(std::size_t module, StageChannel channel)
      : ChannelOperation(Activity::transfer, module, Direction::send, std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

/// Waits for the output of the previous stage's last module.
class ReceiveOutput final : public ChannelOperation {
 public:
  ReceiveOutput(std::size_t module, StageChannel channel)
      : ChannelOperation(Activity::transfer, module, Direction::receive, std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

}  // namespace mlaan
