// The progress of a training run: everything besides tensors that resuming needs.
#include "io/json_text.h"

#include <mlaan/core/error.h>
#include <mlaan/train/state.h>

#include <nlohmann/json.hpp>

namespace mlaan {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Plateau, lowest, bad_epochs, cooldown, count)

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(TrainingState, epoch, batch, step, phase, loss_sum, errors,
                                   samples, seconds, images, peak_bytes, phase_peaks, train_error,
                                   validation_error, average_validation_error,
                                   best_validation_error, best_epoch, improved_validation_error,
                                   improved_epoch, plateau)

namespace {

/// Refuses values of another type, which would be converted silently: fractions for counts, texts.
void check_types(const nlohmann::json& given, const nlohmann::json& expected) {
  for (const auto& item : expected.items()) {
    const auto& value = given.at(item.key());
    const bool fits = item.value().is_number_integer() ? value.is_number_unsigned()
                      : item.value().is_number()       ? value.is_number()
                                                       : value.type() == item.value().type();
    if (!fits) {
      throw UserError("its training state has " + value.dump() + " for '" + item.key() + "'");
    }
    if (value.is_object()) check_types(value, item.value());
  }
}

}  // namespace

std::string TrainingState::to_json() const {
  return nlohmann::json(*this).dump();
}

TrainingState TrainingState::from_json(const std::string& text) {
  try {
    // Fields that an earlier version did not write keep their defaults.
    auto json = nlohmann::json(TrainingState{});
    const nlohmann::json read = parse_json(text);
    for (const char* key : {"epoch", "batch", "step"}) read.at(key);
    json.update(read);
    check_types(json, TrainingState{});
    return json.get<TrainingState>();
  } catch (const nlohmann::json::exception& error) {
    throw UserError(std::string("its training state cannot be read: ") + error.what());
  }
}

}  // namespace mlaan
