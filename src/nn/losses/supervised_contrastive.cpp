// The supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362).
#include <mlaan/nn/loss_kind.h>

#include <torch/nn/functional/normalization.h>

#include <limits>

namespace mlaan {
namespace {

constexpr double usual_temperature = 0.07;

torch::Tensor of_unit_length(const torch::Tensor& output) {
  namespace F = torch::nn::functional;
  return F::normalize(output, F::NormalizeFuncOptions().dim(1));
}

/// \param features of length 1.
torch::Tensor contrast(const torch::Tensor& features, const torch::Tensor& labels,
                       double temperature) {
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
  Loss loss = loss_of_rows(
      loss_text("supervised_contrastive", temperature, usual_temperature), of_unit_length,
      [temperature](const torch::Tensor& features, const torch::Tensor& labels) {
        return contrast(features, labels, temperature);
      });
  loss.reads = LossReads::features;
  loss.needs_classes = true;
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
