// One backward pass through a module.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// Which cotangent a backward pass through a module sends, and what it computes.
struct BackwardSettings {
  /// First module of the windows whose cotangent is sent; none: the sum of all cotangents at the
  /// module's output.
  std::optional<std::size_t> group;
  bool parameters = false;  ///< adds to the gradients of the module's parameters
  bool input = false;       ///< computes the group's cotangent at the previous module's output
  bool last = false;        ///< frees the module's activations
};

/// One vector-Jacobian product (backward pass) through a module.
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
