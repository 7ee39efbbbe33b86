// How far a training run has come: all that a resume needs besides the tensors.
#include <mlaan/core/error.h>
#include <mlaan/train/state.h>

#include <nlohmann/json.hpp>

namespace mlaan {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainingState, epoch, batch, step, phase, loss_sum, errors,
                                   samples, seconds, images, peak_bytes, phase_peaks, train_error,
                                   validation_error, average_validation_error,
                                   best_validation_error, best_epoch)

std::string TrainingState::to_json() const {
  return nlohmann::json(*this).dump();
}

TrainingState TrainingState::from_json(const std::string& text) {
  try {
    // What a state of an earlier version does not say is as it was before there was such a thing.
    auto json = nlohmann::json(TrainingState());
    const auto read = nlohmann::json::parse(text);
    for (const char* key : {"epoch", "batch", "step"}) read.at(key);
    json.update(read);
    return json.get<TrainingState>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(std::string("its training state cannot be read: ") + error.what());
  }
}

}  // namespace mlaan
