// Brings a cotangent of a window that spans two stages back to the stage before.
#pragma once

#include "local/operations/channel_operation.h"

#include <cstddef>
#include <string>
#include <utility>

namespace mlaan {

/// What SendCotangent and ReceiveCotangent have in common.
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

/// Sends what a product has left at the output of the stage before's last module.
class SendCotangent final : public CotangentOperation {
 public:
  /// \param module whose output it is at. \param group first module of its windows.
  SendCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : CotangentOperation(module, group, Direction::send, std::move(channel)) {}

  void execute(Execution& execution) const override;
};

/// Waits for it, and adds it to what is there.
class ReceiveCotangent final : public CotangentOperation {
 public:
  ReceiveCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : CotangentOperation(module, group, Direction::receive, std::move(channel)) {}

  void execute(Execution& execution) const override;
};

}  // namespace mlaan
