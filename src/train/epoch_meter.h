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

  /// \param labels as Engine::step() takes them; of class probabilities, the likeliest class counts
  ///        as the label. Does nothing if the head belongs to another stage.
  void add(const StepResult& result, const torch::Tensor& labels);

  /// Adds the sums since the last call to those in the state, and sets them to zero.
  void read_into(TrainingState& state);

  /// Adds the sums to a copy of the state and keeps them, so that reporting progress does not
  /// change the order of summation, on which the last bits depend.
  TrainingState peek(TrainingState state) const;

  /// The losses of the latest step, one for each supervision.
  std::vector<double> last_losses() const;

 private:
  std::size_t head_ = 0;  ///< position of the supervision whose net is the backbone's head
  torch::Tensor loss_sum_;
  torch::Tensor errors_;
  std::int64_t samples_ = 0;
  torch::Tensor losses_;
};

}  // namespace mlaan
