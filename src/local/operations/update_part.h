// Steps the optimizer of a module or of a net.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Steps the optimizer of a module or of a net, and drops the gradients.
class UpdatePart final : public Operation {
 public:
  static UpdatePart of_module(std::size_t module) { return UpdatePart(module, {}); }
  /// \param module the first one whose output the net reads. \param net index in nets(plan).
  static UpdatePart of_net(std::size_t module, std::size_t net) { return UpdatePart(module, net); }

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  /// Index in nets(plan); none for the update of a module.
  const std::optional<std::size_t>& net() const { return net_; }

 private:
  UpdatePart(std::size_t module, std::optional<std::size_t> net)
      : Operation(Activity::update, module), net_(net) {}

  std::optional<std::size_t> net_;  ///< none: of the module
};

}  // namespace mlaan
