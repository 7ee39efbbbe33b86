// What a network makes of pictures, for people and for programs.
#pragma once

#include <mlaan/train/predict.h>

#include <string>
#include <vector>

namespace mlaan {

/// What came of one picture file: its likeliest classes, or why it could not be read.
struct PredictedFile {
  std::string file;
  std::vector<Guess> guesses;
  std::string error;  ///< "": none
};

/// One line a class, the likeliest first, for each file that could be read.
std::string prediction_table(const std::vector<PredictedFile>& files);

/// {"model": …, "pictures": [{"file": …, "classes": [{"name": …, "probability": …}, …]}, …]}; of a
/// file that could not be read, {"file": …, "error": …}.
std::string prediction_json(const NetworkDescription& info,
                            const std::vector<PredictedFile>& files);

}  // namespace mlaan
