// Sums the head's loss and errors over an epoch without waiting for the device at every step.
#pragma once

#include <mlaan/local/engine.h>
#include <mlaan/train/state.h>

#include <cstddef>
#include <vector>

namespace mlaan {

class EpochMeter {
 public:
  explicit EpochMeter(const Engine& engine);

  /// \param labels as Engine::step() takes them; where they are probabilities, an error is a class
  ///        other than the likeliest. Where another stage has the head, nothing is summed.
  void add(const StepResult& result, const torch::Tensor& labels);

  /// Adds what has come together since the last call to the state's sums.
  void read_into(TrainingState& state);

  /// Adds it to a copy of them, and keeps it: what is summed when decides of the last bits.
  TrainingState peek(TrainingState state) const;

  /// The losses of the step added last, one a supervision.
  std::vector<double> last_losses() const;

 private:
  std::size_t head_ = 0;  ///< position of a supervision by the backbone's own head
  torch::Tensor loss_sum_;
  torch::Tensor errors_;
  std::int64_t samples_ = 0;
  torch::Tensor losses_;
};

}  // namespace mlaan
