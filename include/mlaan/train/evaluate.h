// Error, loss and confusion matrix of a network on labelled images.
#pragma once

#include <mlaan/data/loader.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

/// Errors on the images of one class.
struct ClassScore {
  std::int64_t images = 0;
  double error = 0;       ///< per cent whose class is not the first choice; NaN without images
  double error_top5 = 0;  ///< per cent whose class is not among the first five choices
  /// The class most often predicted for the misclassified images; −1 if there are none.
  std::int64_t mistaken_for = -1;
};

struct Score {
  double loss = 0;        ///< mean cross-entropy; NaN without images
  double error = 0;       ///< per cent whose class is not the first choice; NaN without images
  double error_top5 = 0;  ///< the same for the first five choices; 0 with at most five classes
  std::vector<ClassScore> classes;  ///< of each class; empty without images
  torch::Tensor confusion;  ///< int64, classes × classes: images by class and by predicted class
  std::int64_t images = 0;
  double seconds = 0;
  bool stopped = false;  ///< whether it was stopped before the last image
};

/// Returns the logits of a batch, batch × classes, in evaluation mode.
using Predictor = std::function<torch::Tensor(const torch::Tensor& images)>;

/// A predictor with test-time augmentation.
/// \param predict reads images of shape (batch, …, width).
/// \param tta value of validation.tta: "none", the logits of the pictures; "flip", the mean of
///         these and of the logits of the mirror images.
Predictor at_test_time(Predictor predict, const std::string& tta);

/// Evaluates a network on all batches of the loader's epoch 0.
/// \param should_stop polled before every batch; if true, the score covers the batches before.
/// \param group of processes that evaluate together, each with a loader of its part of the images:
///         the score covers all images, and all processes stop if one is to stop.
Score evaluate(const Predictor& predict, Loader& loader,
               const std::function<bool()>& should_stop = {}, ProcessGroup* group = nullptr);

/// Returns the logits of several outputs of a network, always the same number, in evaluation mode.
using MultiPredictor = std::function<std::vector<torch::Tensor>(const torch::Tensor& images)>;

/// The same for a network with several outputs.
MultiPredictor at_test_time(MultiPredictor predict, const std::string& tta);

/// Evaluates a network with several outputs; one score for each, or a single score without images.
/// \param on_batch called with every batch of this process and its outputs.
/// \param group as of evaluate().
std::vector<Score> evaluate_outputs(
    const MultiPredictor& predict, Loader& loader,
    const std::function<void(const Batch&, const std::vector<torch::Tensor>& outputs)>& on_batch =
        {},
    const std::function<bool()>& should_stop = {}, ProcessGroup* group = nullptr);

}  // namespace mlaan
