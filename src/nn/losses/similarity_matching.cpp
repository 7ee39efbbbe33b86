// Similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656).
#include "nn/kernels/channel_deviation.h"

#include <mlaan/nn/loss_kind.h>

#include <ATen/Functions.h>

namespace mlaan {

torch::Tensor similarity_matrix(const torch::Tensor& samples) {
  torch::Tensor rows = samples;
  if (rows.dim() == 4 && rows.size(1) > 3 && rows.size(2) > 1) {
    rows = channel_deviation(rows);
  } else if (rows.dim() == 3 && rows.size(1) > 1 && rows.size(2) > 3) {
    rows = rows.std(1);
  } else {
    rows = rows.flatten(1);
  }
  rows = rows - rows.mean(1, /*keepdim=*/true);
  rows = rows / (rows.norm(2, 1, /*keepdim=*/true) + 1e-8);
  return rows.mm(rows.t()).clamp(-1, 1);
}

LossPtr similarity_matching(std::int64_t classes) {
  Loss loss;
  loss.name = "similarity_matching";
  loss.function = [classes](const torch::Tensor& output, const Targets& targets) {
    const auto labels =
        are_classes(targets.labels) ? torch::one_hot(targets.labels, classes) : targets.labels;
    return torch::mse_loss(similarity_matrix(output), similarity_matrix(labels.to(output.dtype())));
  };
  return std::make_shared<const Loss>(std::move(loss));
}

namespace losses {

LossKind similarity_matching() {
  return {"similarity_matching", "similarity_matching",
          "squared difference of the similarities within the batch of outputs and of labels",
          std::nullopt, [](const LossSettings& settings) {
            return mlaan::similarity_matching(settings.classes);
          }};
}

}  // namespace losses
}  // namespace mlaan
