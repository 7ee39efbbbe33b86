// How well a network does on labelled images.
#pragma once

#include <mlaan/data/loader.h>

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

class ProcessGroup;

/// How a network does on the images of one class.
struct ClassScore {
  std::int64_t images = 0;
  double error = 0;       ///< per cent whose class is not the first choice; NaN without images
  double error_top5 = 0;  ///< per cent whose class is not among the first five choices
  /// The class that its images are most often mistaken for; −1 if none is.
  std::int64_t mistaken_for = -1;
};

struct Score {
  double loss = 0;        ///< mean cross-entropy; NaN without images
  double error = 0;       ///< per cent whose class is not the first choice; NaN without images
  double error_top5 = 0;  ///< the same of the first five choices; 0 of at most five classes
  std::vector<ClassScore> classes;  ///< of each class; empty without images
  torch::Tensor confusion;          ///< int64, images by class and by first choice
  std::int64_t images = 0;
  double seconds = 0;
  bool stopped = false;  ///< true where it was stopped before the last image
};

/// Logits of a batch, in evaluation mode.
using Predictor = std::function<torch::Tensor(const torch::Tensor& images)>;

/// What a network says of pictures at test time. \param tta as validation.tta: "none", what it says
/// of them as they are; "flip", the mean of that and of what it says of their mirror images.
/// \param predict logits of a batch of shape (batch, …, width).
Predictor at_test_time(Predictor predict, const std::string& tta);

/// Runs every batch of the loader's epoch 0 through the network.
/// \param should_stop asked before every batch; where it is true, the score is of those before.
/// \param group where several processes do so, each with a loader of its own part of the images;
///        the score is of all of them, and all stop where one is to.
Score evaluate(const Predictor& predict, Loader& loader,
               const std::function<bool()>& should_stop = {}, ProcessGroup* group = nullptr);

/// Logits of a batch from several places of a network, in evaluation mode; always as many.
using MultiPredictor = std::function<std::vector<torch::Tensor>(const torch::Tensor& images)>;

MultiPredictor at_test_time(MultiPredictor predict, const std::string& tta);

/// The same for a network that gives logits several times. Without images one score.
/// \param on_batch told of every batch and what came of it.
std::vector<Score> evaluate_outputs(
    const MultiPredictor& predict, Loader& loader,
    const std::function<void(const Batch&, const std::vector<torch::Tensor>& outputs)>& on_batch =
        {},
    const std::function<bool()>& should_stop = {});

}  // namespace mlaan
