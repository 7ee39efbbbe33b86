// Runs a module forward.
#pragma once

#include <mlaan/local/operation.h>

namespace mlaan {

/// What a module keeps of its forward pass for the backward pass.
enum class Keep : std::uint8_t {
  nothing,      ///< no gradient will be computed
  input,        ///< the module will be recomputed
  activations,  ///< the whole graph
};

/// Runs a module forward, once, on a detached copy of its input.
class ForwardModule final : public Operation {
 public:
  /// \param input_gradient the backward pass will compute a gradient for the previous module.
  ForwardModule(std::size_t module, Keep keep, bool input_gradient)
      : Operation(Activity::forward, module), keep_(keep), input_gradient_(input_gradient) {}

  void execute(Execution& execution) const override;
  Access access() const override;
  std::string text() const override;

  Keep keep() const { return keep_; }

 private:
  Keep keep_;
  bool input_gradient_;
};

}  // namespace mlaan
