// The progress of a training run: all that a resume needs besides the tensors.
#pragma once

#include <mlaan/train/plateau.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

struct TrainingState {
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t batch = 0;  ///< batches done in the current epoch
  std::int64_t step = 0;   ///< optimizer steps done
  std::int64_t phase = 0;  ///< of the last step, from 0

  // Of the current epoch.
  double loss_sum = 0;       ///< sum of the head's loss over the samples
  std::int64_t errors = 0;   ///< samples that the head misclassified
  std::int64_t samples = 0;  ///< samples trained on

  double seconds = 0;           ///< spent in training steps
  std::int64_t images = 0;      ///< trained on in that time
  std::int64_t peak_bytes = 0;  ///< highest of all training steps
  /// Highest of each phase's steps; 0 for a phase that has not begun.
  std::vector<std::int64_t> phase_peaks;

  // Errors in per cent; −1: none yet.
  double train_error = -1;               ///< of the last complete epoch
  double validation_error = -1;          ///< of the last complete epoch
  double average_validation_error = -1;  ///< the same, of the moving average of the weights
  double best_validation_error = -1;     ///< lowest so far; of the average if there is one
  std::int64_t best_epoch = 0;           ///< in which it was reached, from 1
  /// The last validation error that was low enough to count as progress for early stopping, and its
  /// epoch.
  double improved_validation_error = -1;
  std::int64_t improved_epoch = 0;

  Plateau plateau;  ///< state of the schedule "plateau"

  std::string to_json() const;
  /// \throws UserError for a text that to_json() has not written.
  static TrainingState from_json(const std::string& text);
};

}  // namespace mlaan
