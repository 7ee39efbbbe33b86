// Runs a net and its loss, forward and backward.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Runs an evaluation's net and loss forward and backward. This gives the net's gradients and the
/// cotangent at the output that the net reads, that of the module or of its trunk.
class Supervise final : public Operation {
 public:
  /// \param evaluation index in the schedule.
  /// \param twins modules that share parameters with the net.
  Supervise(std::size_t module, std::size_t evaluation, std::size_t net,
            std::optional<std::size_t> trunk, std::vector<std::size_t> twins)
      : Operation(Activity::supervise, module),
        evaluation_(evaluation),
        net_(net),
        trunk_(trunk),
        twins_(std::move(twins)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
  std::optional<std::size_t> evaluation() const override { return evaluation_; }

 private:
  std::size_t evaluation_;
  std::size_t net_;
  std::optional<std::size_t> trunk_;
  std::vector<std::size_t> twins_;
};

}  // namespace mlaan
