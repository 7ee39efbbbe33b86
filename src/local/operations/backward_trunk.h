// The backward pass of a trunk, a net that other nets read.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Sends the cotangents at a trunk's output through the trunk. This gives the trunk's gradients
/// and, for each first module of a window, a cotangent at the output of the module that it reads.
class BackwardTrunk final : public Operation {
 public:
  /// \param starts first modules of the windows whose cotangents the trunk collects.
  /// \param twins modules that share parameters with the net.
  BackwardTrunk(std::size_t module, std::size_t net, std::vector<std::size_t> starts,
                std::size_t first_evaluation, std::vector<std::size_t> twins)
      : Operation(Activity::supervise, module),
        net_(net),
        starts_(std::move(starts)),
        first_evaluation_(first_evaluation),
        twins_(std::move(twins)) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;
  std::optional<std::size_t> evaluation() const override { return first_evaluation_; }

 private:
  std::size_t net_;
  std::vector<std::size_t> starts_;
  std::size_t first_evaluation_;  ///< the first one that reads the trunk
  std::vector<std::size_t> twins_;
};

}  // namespace mlaan
