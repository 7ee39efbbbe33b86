// The forward pass of a trunk, a net that other nets read.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Runs a trunk on the output of a module, and keeps its graph.
class ForwardTrunk final : public Operation {
 public:
  /// \param first_evaluation the first one that reads the trunk.
  /// \param twins modules that share parameters with the net.
  ForwardTrunk(std::size_t module, std::size_t net, std::size_t first_evaluation,
               std::vector<std::size_t> twins)
      : Operation(Activity::supervise, module),
        net_(net),
        first_evaluation_(first_evaluation),
        twins_(std::move(twins)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
  std::optional<std::size_t> evaluation() const override { return first_evaluation_; }

 private:
  std::size_t net_;
  std::size_t first_evaluation_;
  std::vector<std::size_t> twins_;
};

}  // namespace mlaan
