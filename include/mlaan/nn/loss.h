// Losses: what a supervision minimises.
#pragma once

#include <mlaan/nn/normalisation.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// What a loss may compare an output with.
struct Targets {
  /// int64, one class a sample; or floating, samples × classes, probabilities.
  torch::Tensor labels;
  torch::Tensor images;  ///< float, the batch as the backbone got it
};

/// Refuses labels that are not as Targets says.
/// \param what they are labels of, for the message: "the batch".
/// \throws UserError naming what is wrong: the number of samples, a class that is none,
/// probabilities
///         of too few or too many classes. On other devices than the CPU classes are not looked at.
void check_labels(const torch::Tensor& labels, std::int64_t samples, std::int64_t classes,
                  const std::string& what);

/// The class of each sample, int64: that of the highest probability where labels are probabilities.
torch::Tensor classes_of(const torch::Tensor& labels);

/// What shape of a net's output a loss can be taken of.
enum class LossReads { anything, one_number_a_class, features, images };

/// A named function from a net's output and the targets to one number.
struct Loss {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor& output, const Targets& targets)> function;
  /// Whether it must be told each sample's one class, and can do nothing with probabilities.
  bool needs_classes = false;
  LossReads reads = LossReads::anything;
  /// Of a cross-entropy the share of the target that is spread over all classes; of others nothing.
  std::optional<double> label_smoothing{};
};

/// Losses are compared by identity: supervisions that share a net and a loss are evaluated once.
using LossPtr = std::shared_ptr<const Loss>;

/// \param output shape of what a net gives for one image, whose shape is `image`.
/// \throws UserError naming both where the loss cannot be taken of it.
void check_reads(const Loss& loss, const std::vector<std::int64_t>& output, std::int64_t classes,
                 const std::vector<std::int64_t>& image);

/// Mean cross-entropy of logits (batch × classes) with the labels: for probabilities the sum over
/// the classes, each times its probability.
/// \param label_smoothing share of the target spread evenly over all classes, from 0 to 1.
LossPtr cross_entropy(double label_smoothing = 0);

/// The same loss with this label smoothing, if it is a cross-entropy without any; else `loss`
/// itself.
LossPtr with_label_smoothing(const LossPtr& loss, double label_smoothing);

/// Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362, equation 2) of features
/// (batch × F), which are brought to length 1. A sample's positives are the others of its label in
/// the batch; the loss is the mean over all samples of −(mean over the positives p of
/// log(exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ))), 0 for a sample without positives. It needs
/// classes.
LossPtr supervised_contrastive(double temperature = 0.07);

/// Mean binary cross-entropy of the sigmoid of maps (as many channels and as large as the images)
/// with the images, brought back to [0, 1]. The net gives what the sigmoid is taken of.
/// \throws UserError where the normalisation is not known.
LossPtr reconstruction(const Normalisation& normalisation);

/// Similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656, equation 3): mean squared
/// difference of the matrices of cosine similarities (batch × batch) of the samples' outputs and of
/// their one-hot labels, or of their probabilities. Of maps of more than 3 channels and more than 1
/// row each channel's standard deviation over space is taken, of more than 1 token of a width above
/// 3 each feature's over the tokens. \param classes length of the one-hot labels.
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
