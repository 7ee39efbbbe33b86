// Similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656).
#include "nn/kernels/channel_deviation.h"

#include <mlaan/nn/loss_kind.h>

#include <ATen/Functions.h>

namespace mlaan {

namespace {

/// What is compared of each sample, centred at its mean and of length 1.
torch::Tensor directions(const torch::Tensor& samples) {
  torch::Tensor rows = samples;
  if (rows.dim() == 4 && rows.size(1) > 3 && rows.size(2) > 1) {
    rows = channel_deviation(rows);
  } else if (rows.dim() == 3 && rows.size(1) > 1 && rows.size(2) > 3) {
    rows = rows.std(1);
  } else {
    rows = rows.flatten(1);
  }
  rows = rows - rows.mean(1, /*keepdim=*/true);
  return rows / (rows.norm(2, 1, /*keepdim=*/true) + 1e-8);
}

torch::Tensor similarities(const torch::Tensor& rows) {
  return rows.mm(rows.t()).clamp(-1, 1);
}

}  // namespace

torch::Tensor similarity_matrix(const torch::Tensor& samples) {
  return similarities(directions(samples));
}

LossPtr similarity_matching(std::int64_t classes) {
  const auto compare = [classes](const torch::Tensor& rows, const torch::Tensor& given) {
    const auto labels = are_classes(given) ? torch::one_hot(given, classes) : given;
    return torch::mse_loss(similarities(rows), similarity_matrix(labels.to(rows.dtype())));
  };
  return std::make_shared<const Loss>(loss_of_rows("similarity_matching", directions, compare));
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
