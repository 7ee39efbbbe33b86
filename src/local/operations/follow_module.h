// Moves twins after the update of the module that they follow.
#pragma once

#include "local/operations/channel_operation.h"

#include <utility>

namespace mlaan {

/// Moves this stage's twins of a module whose parameters this process has up to date.
class FollowModule final : public Operation {
 public:
  explicit FollowModule(std::size_t module) : Operation(Activity::update, module) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

/// Sends the parameters that twins on another stage follow.
class SendParameters final : public ChannelOperation {
 public:
  SendParameters(std::size_t module, StageChannel channel)
      : ChannelOperation(Activity::update, module, Direction::send, std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

/// Moves this stage's twins of another stage's module, by the parameters that the other stage sent
/// as many steps ago as the twins' delay.
class FollowReceived final : public ChannelOperation {
 public:
  FollowReceived(std::size_t module, StageChannel channel)
      : ChannelOperation(Activity::update, module, Direction::receive, std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
};

}  // namespace mlaan
