// Layers that can do with fewer activations.
#pragma once

namespace mlaan {

/// A layer that can keep fewer activations for its backward pass, and rebuild the others: the same
/// gradients bit for bit, for some more time. Derive a `torch::nn` module from it as well.
class RebuildsActivations {
 public:
  virtual ~RebuildsActivations() = default;
  void set_rebuilds(bool on) { rebuilds_ = on; }

 protected:
  RebuildsActivations() = default;
  RebuildsActivations(const RebuildsActivations&) = default;
  RebuildsActivations& operator=(const RebuildsActivations&) = default;
  bool rebuilds() const { return rebuilds_; }

 private:
  bool rebuilds_ = false;
};

}  // namespace mlaan
