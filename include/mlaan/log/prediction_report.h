// Reports of a network's predictions for pictures, as a table and as JSON.
#pragma once

#include <mlaan/train/predict.h>

#include <string>
#include <vector>

namespace mlaan {

/// The prediction for one picture file: its most probable classes, or why it could not be read.
struct PredictedFile {
  std::string file;
  std::vector<Guess> guesses;
  std::string error;  ///< "": none
};

/// A table with one line per class, the most probable first, for each file that could be read.
std::string prediction_table(const std::vector<PredictedFile>& files);

/// {"model": …, "pictures": [{"file": …, "classes": [{"name": …, "probability": …}, …]}, …]}; for a
/// file that could not be read, {"file": …, "error": …}.
std::string prediction_json(const NetworkDescription& info,
                            const std::vector<PredictedFile>& files);

}  // namespace mlaan
