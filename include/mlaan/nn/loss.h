// Losses: what a supervision minimises.
#pragma once

#include <mlaan/nn/normalisation.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace mlaan {

/// What a loss may compare an output with.
struct Targets {
  torch::Tensor labels;  ///< int64, one class a sample
  torch::Tensor images;  ///< float, the batch as the backbone got it
};

/// A named function from a net's output and the targets to one number.
struct Loss {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor& output, const Targets& targets)> function;
};

/// Losses are compared by identity: supervisions that share a net and a loss are evaluated once.
using LossPtr = std::shared_ptr<const Loss>;

/// Mean cross-entropy of logits (batch × classes) with the labels.
/// \param label_smoothing share of the target spread evenly over all classes, from 0 to 1.
LossPtr cross_entropy(double label_smoothing = 0);

/// Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362, equation 2) of features
/// (batch × F), which are brought to length 1. A sample's positives are the others of its label in
/// the batch; the loss is the mean over all samples of −(mean over the positives p of
/// log(exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ))), 0 for a sample without positives.
LossPtr supervised_contrastive(double temperature = 0.07);

/// Mean binary cross-entropy of the sigmoid of maps (as many channels and as large as the images)
/// with the images, brought back to [0, 1]. The net gives what the sigmoid is taken of.
/// \throws UserError where the normalisation is not known.
LossPtr reconstruction(const Normalisation& normalisation);

/// Similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656, equation 3): mean squared
/// difference of the matrices of cosine similarities (batch × batch) of the samples' outputs and of
/// their one-hot labels. Of maps of more than 3 channels and more than 1 row each channel's
/// standard deviation over space is taken, of more than 1 token of a width above 3 each feature's
/// over the tokens. \param classes length of the one-hot labels.
LossPtr similarity_matching(std::int64_t classes);

/// Cosine similarities of the rows, as similarity_matching() takes them: samples × samples, each in
/// [−1, 1].
torch::Tensor similarity_matrix(const torch::Tensor& samples);

/// The loss that has this for its name: what plan files call it. "cross_entropy", "cross_entropy
/// 0.1" (smoothing), "supervised_contrastive", "supervised_contrastive 0.5" (temperature),
/// "reconstruction", "similarity_matching".
/// \throws UserError for another text.
LossPtr parse_loss(const std::string& text, std::int64_t classes,
                   const Normalisation& normalisation);

}  // namespace mlaan
