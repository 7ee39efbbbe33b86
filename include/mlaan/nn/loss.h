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

/// What a loss may compare a net's output with.
struct Targets {
  /// int64, one class per sample; or floating point, samples × classes, probabilities.
  torch::Tensor labels;
  torch::Tensor images;  ///< float, the batch that the backbone read
};

/// Checks that labels are as Targets describes them.
/// \param what the labels are of, for the message: "the batch".
/// \throws UserError naming what is wrong: the type, the number of samples, a class out of range,
///         or probabilities of another number of classes. On devices other than the CPU the range
///         of classes is not checked.
void check_labels(const torch::Tensor& labels, std::int64_t samples, std::int64_t classes,
                  const std::string& what);

/// The class of each sample, int64; for probabilities, the class of the highest one.
torch::Tensor classes_of(const torch::Tensor& labels);

/// What output of a net a loss can read.
enum class LossReads { anything, one_number_a_class, features, images };

/// A named function from a net's output and the targets to one number.
struct Loss {
  std::string name;
  std::function<torch::Tensor(const torch::Tensor& output, const Targets& targets)> function;
  /// Whether the loss needs class labels and cannot use probabilities.
  bool needs_classes = false;
  /// Whether the labels may be a tensor of any type and shape with the samples in its first
  /// dimension, as a user's own loss may read.
  bool takes_any_labels = false;
  LossReads reads = LossReads::anything;
  /// For a cross-entropy, the share of the target that is spread over all classes, from 0 to 1;
  /// nullopt for other losses.
  std::optional<double> label_smoothing{};
  /// For a loss that compares the samples of a batch with each other: what it reads of each sample,
  /// samples × features, and the loss of such rows, of which `function` is made. Empty for others.
  std::function<torch::Tensor(const torch::Tensor& output)> rows{};
  std::function<torch::Tensor(const torch::Tensor& rows, const torch::Tensor& labels)> of_rows{};
  bool compares_samples() const { return of_rows != nullptr; }
};

/// Losses are compared by identity: supervisions that share a net and a loss are evaluated once.
using LossPtr = std::shared_ptr<const Loss>;

/// Checks that a loss can read the output of a net.
/// \param output shape of the net's output for one image.
/// \param image shape of the image.
/// \throws UserError naming the output's shape and the loss, if it cannot.
void check_reads(const Loss& loss, const std::vector<std::int64_t>& output, std::int64_t classes,
                 const std::vector<std::int64_t>& image);

/// Mean cross-entropy of logits (batch × classes) with the labels. For probabilities, it is the sum
/// over the classes, weighted by their probabilities.
/// \param label_smoothing share of the target spread evenly over all classes, from 0 to 1.
LossPtr cross_entropy(double label_smoothing = 0);

/// A loss of this name that compares the samples of a batch with each other.
/// \param rows, of_rows as in Loss.
Loss loss_of_rows(
    const std::string& name, std::function<torch::Tensor(const torch::Tensor& output)> rows,
    std::function<torch::Tensor(const torch::Tensor& rows, const torch::Tensor& labels)> of_rows);

class BatchPeers;

/// The value of a loss that compares the samples of a batch with each other, of the batch of all
/// processes. Its gradient is so much larger that, multiplied by this process's share of the batch
/// and summed over all processes, it is the gradient of that value.
torch::Tensor joint_loss(const Loss& loss, const torch::Tensor& output, const torch::Tensor& labels,
                         BatchPeers& peers);

/// The loss with this label smoothing, if it is a cross-entropy without any; else `loss` itself.
LossPtr with_label_smoothing(const LossPtr& loss, double label_smoothing);

/// Supervised contrastive loss (Khosla et al. 2020, arXiv:2004.11362, equation 2) of features
/// (batch × F), which are normalised to length 1. A sample's positives are the other samples of its
/// class in the batch; the loss is the mean over all samples of −(mean over the positives p of
/// log(exp(zᵢ·z_p/τ) / Σ_{a≠i} exp(zᵢ·z_a/τ))), 0 for a sample without positives. It needs class
/// labels.
/// \param temperature τ, above 0.
LossPtr supervised_contrastive(double temperature = 0.07);

/// Mean binary cross-entropy between the sigmoid of the net's output, maps of the images' shape,
/// and the images, denormalised to [0, 1].
/// \throws UserError if the normalisation is unknown.
LossPtr reconstruction(const Normalisation& normalisation);

/// Similarity matching (Nøkland and Eidnes 2019, arXiv:1901.06656, equation 3): mean squared
/// difference of the matrices of cosine similarities (batch × batch) of the samples' outputs and of
/// their one-hot labels, or of their probabilities. Maps of more than 3 channels and more than 1
/// row are reduced to each channel's standard deviation over space; sequences of more than 1 token
/// of a width above 3, to each feature's standard deviation over the tokens.
/// \param classes length of the one-hot labels.
LossPtr similarity_matching(std::int64_t classes);

/// Cosine similarities of the samples, each centred at its mean, as similarity_matching() compares
/// them: samples × samples, in [−1, 1].
torch::Tensor similarity_matrix(const torch::Tensor& samples);

/// Parses the text of a loss in a plan file: "cross_entropy", "cross_entropy 0.1" (smoothing),
/// "supervised_contrastive", "supervised_contrastive 0.5" (temperature), "reconstruction",
/// "similarity_matching".
/// \throws UserError for another text.
LossPtr parse_loss(const std::string& text, std::int64_t classes,
                   const Normalisation& normalisation);

}  // namespace mlaan
