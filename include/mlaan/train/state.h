// How far a training run has come: all that a resume needs besides the tensors.
#pragma once

#include <mlaan/train/plateau.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

struct TrainingState {
  std::int64_t epoch = 0;  ///< epochs done
  std::int64_t batch = 0;  ///< batches done of the epoch that is under way
  std::int64_t step = 0;   ///< optimizer steps done
  std::int64_t phase = 0;  ///< of the training, from 0, that the last step was part of

  // Of the epoch that is under way.
  double loss_sum = 0;       ///< of the head's loss, over samples
  std::int64_t errors = 0;   ///< samples whose class was not the head's first choice
  std::int64_t samples = 0;  ///< seen

  double seconds = 0;                     ///< spent in training steps
  std::int64_t images = 0;                ///< trained on, in those seconds
  std::int64_t peak_bytes = 0;            ///< highest of all training steps
  std::vector<std::int64_t> phase_peaks;  ///< highest of each phase's; 0 for one that was not begun

  // Errors are in per cent, and −1 as long as there is none.
  double train_error = -1;               ///< of the last whole epoch
  double validation_error = -1;          ///< of the last whole epoch
  double average_validation_error = -1;  ///< the same, of the moving average of the weights
  double best_validation_error = -1;     ///< the lowest so far, of the average where there is one
  std::int64_t best_epoch = 0;           ///< that it was reached in, from 1
  /// The last validation error that was lower by enough for early stopping, and its epoch.
  double improved_validation_error = -1;
  std::int64_t improved_epoch = 0;

  Plateau plateau;  ///< of the schedule of this name

  std::string to_json() const;
  /// \throws UserError for a text that is not what to_json() writes.
  static TrainingState from_json(const std::string& text);
};

}  // namespace mlaan
