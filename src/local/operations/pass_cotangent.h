// Sends a cotangent of a window that spans two stages back to the previous stage.
#pragma once

#include "local/operations/channel_operation.h"

#include <cstddef>
#include <string>
#include <utility>

namespace mlaan {

/// The base class of SendCotangent and ReceiveCotangent.
class CotangentOperation : public ChannelOperation {
 public:
  Access access() const final;
  std::string text() const final;

 protected:
  CotangentOperation(std::size_t module, std::size_t group, Direction direction,
                     StageChannel channel)
      : ChannelOperation(Activity::transfer, module, direction, std::move(channel)),
        group_(group) {}

  std::size_t group() const { return group_; }

 private:
  std::size_t group_;
};

/// Sends the cotangent that a backward pass has computed at the previous stage's last output.
class SendCotangent final : public CotangentOperation {
 public:
  /// \param module at whose output the cotangent is. \param group first module of its windows.
  SendCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : CotangentOperation(module, group, Direction::send, std::move(channel)) {}

  void execute(Execution& execution) const override;
};

/// Waits for the cotangent, and adds it to those at the module's output.
class ReceiveCotangent final : public CotangentOperation {
 public:
  ReceiveCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : CotangentOperation(module, group, Direction::receive, std::move(channel)) {}

  void execute(Execution& execution) const override;
};

}  // namespace mlaan
