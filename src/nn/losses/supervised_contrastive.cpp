// The supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362).
#include <mlaan/nn/loss_kind.h>

#include <torch/nn/functional/normalization.h>

#include <limits>

namespace mlaan {
namespace {

constexpr double usual_temperature = 0.07;

torch::Tensor contrast(const torch::Tensor& output, const torch::Tensor& labels,
                       double temperature) {
  namespace F = torch::nn::functional;
  const auto features = F::normalize(output, F::NormalizeFuncOptions().dim(1));
  const auto itself = torch::eye(features.size(0), labels.options().dtype(torch::kBool));
  const auto logits = features.mm(features.t()) / temperature;
  const auto log_sum =
      logits.masked_fill(itself, -std::numeric_limits<double>::infinity()).logsumexp(1, true);
  const auto positive =
      (labels.unsqueeze(0) == labels.unsqueeze(1)).logical_and(itself.logical_not());
  const auto count = positive.sum(1).clamp_min(1).to(features.dtype());
  const auto sums = (logits - log_sum).masked_fill(positive.logical_not(), 0).sum(1);
  return -(sums / count).mean();
}

}  // namespace

LossPtr supervised_contrastive(double temperature) {
  Loss loss;
  loss.name = loss_text("supervised_contrastive", temperature, usual_temperature);
  loss.reads = LossReads::features;
  loss.needs_classes = true;
  loss.function = [temperature](const torch::Tensor& features, const Targets& targets) {
    return contrast(features, targets.labels, temperature);
  };
  return std::make_shared<const Loss>(std::move(loss));
}

namespace losses {

LossKind supervised_contrastive() {
  return {"supervised_contrastive", "supervised_contrastive [0.07]",
          "pulls features of one class together, at this temperature; needs class labels",
          LossNumber{"temperature", usual_temperature, "above 0",
                     [](double temperature) { return temperature > 0; }},
          [](const LossSettings& settings) {
            return mlaan::supervised_contrastive(settings.number.value_or(usual_temperature));
          }};
}

}  // namespace losses
}  // namespace mlaan
