// Brings a module's output to the stage after it.
#pragma once

#include <mlaan/local/operation.h>
#include <mlaan/local/stage_transport.h>

#include <utility>

namespace mlaan {

/// Sends a module's output to the stage that the next module is on.
class SendOutput final : public Operation {
 public:
  SendOutput(std::size_t module, StageChannel channel)
      : Operation(Activity::transfer, module), channel_(std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  const StageChannel& channel() const { return channel_; }

 private:
  StageChannel channel_;
};

/// Waits for the output of the last module of the stage before.
class ReceiveOutput final : public Operation {
 public:
  ReceiveOutput(std::size_t module, StageChannel channel)
      : Operation(Activity::transfer, module), channel_(std::move(channel)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  const StageChannel& channel() const { return channel_; }

 private:
  StageChannel channel_;
};

}  // namespace mlaan
