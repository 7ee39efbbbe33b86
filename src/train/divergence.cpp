// Detects a training that has diverged: NaN or infinite numbers in its state.
#include "train/divergence.h"

#include <mlaan/local/optimizer_state.h>

namespace mlaan {
namespace {

bool is_finite(const torch::Tensor& tensor) {
  if (!tensor.is_floating_point() || tensor.numel() == 0) return true;
  return torch::isfinite(tensor.detach()).all().item<bool>();
}

bool is_running_statistic(const std::string& name) {
  return name.find("running_mean") != std::string::npos ||
         name.find("running_var") != std::string::npos;
}

}  // namespace

std::string what_is_not_finite(Engine& engine, const torch::Tensor& images) {
  for (const auto& named : engine.named_parameters()) {
    if (!is_finite(named.tensor)) return "weight '" + named.name + "'";
  }
  for (const auto& named : engine.named_buffers()) {
    // Other buffers are constants such as masks, in which infinities are intended.
    if (is_running_statistic(named.name) && !is_finite(named.tensor)) {
      return "statistic '" + named.name + "'";
    }
  }
  for (const auto& named : optimizer_state(engine.parts())) {
    if (!is_finite(named.tensor)) return "'" + named.name + "'";
  }
  if (images.defined() && !is_finite(engine.predict(images))) {
    return "the network's output for images of the last batch";
  }
  return "";
}

}  // namespace mlaan
