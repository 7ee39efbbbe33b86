// A closer look at a trained network: what it mistakes, and where its training steps' bytes go.
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

/// A test picture that the network is wrong about.
struct WorstPicture {
  torch::Tensor picture;  ///< uint8, channels × height × width, as the network saw it
  std::int64_t label = 0;
  std::int64_t guess = 0;
  double probability = 0;  ///< that the network gives its guess
  double loss = 0;         ///< cross-entropy
};

struct NetworkExamination {
  Score score;                      ///< on the test images
  std::vector<WorstPicture> worst;  ///< those of the highest loss among the mistaken ones
};

/// Tests the network of a checkpoint, and keeps the pictures that it is most wrong about.
/// \param settings of the checkpoint's run. \param count of pictures to keep, at most.
NetworkExamination examine_network(const Checkpoint& checkpoint, const Settings& settings,
                                   const DataSource& data, std::size_t count);

/// The phase that most of a checkpoint's training was part of.
/// \param settings of the checkpoint's run.
TrainingPhase longest_phase(const Checkpoint& checkpoint, const Settings& settings);

/// The profile of a training step of a phase, on the first batch and with fresh weights.
StepProfile profile_of_phase(const TrainingPhase& phase, const DataSource& data,
                             std::int64_t steps);

}  // namespace mlaan
