// Brings a cotangent of a window that spans two stages back to the stage before.
#pragma once

#include <mlaan/local/operation.h>
#include <mlaan/local/stage_transport.h>

#include <utility>

namespace mlaan {

/// Sends what a product has left at the output of the stage before's last module.
class SendCotangent final : public Operation {
 public:
  /// \param module whose output it is at. \param group first module of its windows.
  SendCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : Operation(Activity::transfer, module), group_(group), channel_(std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  const StageChannel& channel() const { return channel_; }

 private:
  std::size_t group_;
  StageChannel channel_;
};

/// Waits for it, and adds it to what is there.
class ReceiveCotangent final : public Operation {
 public:
  ReceiveCotangent(std::size_t module, std::size_t group, StageChannel channel)
      : Operation(Activity::transfer, module), group_(group), channel_(std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  const StageChannel& channel() const { return channel_; }

 private:
  std::size_t group_;
  StageChannel channel_;
};

}  // namespace mlaan
