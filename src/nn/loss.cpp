// Losses: what a supervision minimises.
#include <mlaan/nn/loss.h>

#include <torch/nn/functional/loss.h>

namespace mlaan {

LossPtr cross_entropy(double label_smoothing) {
  const auto options =
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(label_smoothing);
  return std::make_shared<const Loss>(
      Loss{"cross_entropy", [options](const torch::Tensor& logits, const Targets& targets) {
             return torch::nn::functional::cross_entropy(logits, targets.labels, options);
           }});
}

}  // namespace mlaan
