// Examines a trained network: its worst mistakes, and the bytes of its training steps.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/train/checkpoint.h>
#include <mlaan/train/evaluate.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/profile.h>
#include <mlaan/train/settings.h>

#include <torch/types.h>

#include <cstdint>
#include <vector>

namespace mlaan {

/// A misclassified test picture.
struct WorstPicture {
  torch::Tensor picture;  ///< uint8, channels × height × width: the input without normalisation
  std::int64_t label = 0;
  std::int64_t guess = 0;  ///< predicted class
  double probability = 0;  ///< of the predicted class
  double loss = 0;         ///< cross-entropy
};

struct NetworkExamination {
  Score score;  ///< on the test images
  /// Misclassified pictures with the highest losses, highest first.
  std::vector<WorstPicture> worst;
};

/// Tests the network of a checkpoint, and keeps the misclassified pictures with the highest losses.
/// \param settings of the checkpoint's run.
/// \param count most pictures to keep.
NetworkExamination examine_network(const Checkpoint& checkpoint, const Settings& settings,
                                   const DataSource& data, std::size_t count);

/// The longest phase of a checkpoint's training.
/// \param settings of the checkpoint's run.
TrainingPhase longest_phase(const Checkpoint& checkpoint, const Settings& settings);

/// Profiles training steps of a phase, on the first batch and with freshly initialised weights.
StepProfile profile_of_phase(const TrainingPhase& phase, const DataSource& data,
                             std::int64_t steps);

}  // namespace mlaan
