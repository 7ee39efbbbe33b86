// Cross-entropy of logits.
#include <mlaan/nn/loss_kind.h>

#include <torch/nn/functional/loss.h>

namespace mlaan {

LossPtr cross_entropy(double label_smoothing) {
  const auto options =
      torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(label_smoothing);
  Loss loss;
  loss.name = loss_text("cross_entropy", label_smoothing, 0);
  loss.reads = LossReads::one_number_a_class;
  loss.function = [options](const torch::Tensor& logits, const Targets& targets) {
    const auto& labels = targets.labels;
    return torch::nn::functional::cross_entropy(
        logits, are_classes(labels) ? labels : labels.to(logits.dtype()), options);
  };
  loss.label_smoothing = label_smoothing;
  return std::make_shared<const Loss>(std::move(loss));
}

namespace losses {

LossKind cross_entropy() {
  return {"cross_entropy", "cross_entropy [0.1]",
          "mean cross-entropy of logits, with this label smoothing",
          LossNumber{"label smoothing", 0, "from 0 to 1",
                     [](double share) { return share >= 0 && share <= 1; }},
          [](const LossSettings& settings) {
            return mlaan::cross_entropy(settings.number.value_or(0));
          }};
}

}  // namespace losses
}  // namespace mlaan
