// One vector-Jacobian product through a module.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// What a vector-Jacobian product through a module is of, and for.
struct BackwardSettings {
  /// First module of the windows whose cotangent is sent; none: the sum of all cotangents at the
  /// module's output.
  std::optional<std::size_t> group;
  bool parameters = false;  ///< adds to the gradients of the module's parameters
  bool input = false;       ///< gives the cotangent of the group at the output of the module before
  bool last = false;        ///< frees the module's activations
};

/// One vector-Jacobian product through a module.
class BackwardModule final : public Operation {
 public:
  BackwardModule(std::size_t module, const BackwardSettings& settings)
      : Operation(Activity::backward, module), settings_(settings) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  const BackwardSettings& settings() const { return settings_; }

 private:
  BackwardSettings settings_;
};

}  // namespace mlaan
