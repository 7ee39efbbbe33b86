// A network's predictions for pictures as a table and as JSON.
#include "io/json_text.h"

#include <mlaan/log/prediction_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

namespace mlaan {

std::string prediction_table(const std::vector<PredictedFile>& files) {
  Table table({"file", "class", "probability %"});
  for (const auto& file : files) {
    for (std::size_t k = 0; k < file.guesses.size(); ++k) {
      const Guess& guess = file.guesses[k];
      table.add({k == 0 ? file.file : "", guess.name, fixed(100 * guess.probability, 2)});
    }
  }
  return table.to_string();
}

std::string prediction_json(const NetworkDescription& info,
                            const std::vector<PredictedFile>& files) {
  using nlohmann::ordered_json;
  ordered_json json;
  json["model"] = info.model;
  json["pictures"] = ordered_json::array();
  for (const auto& file : files) {
    ordered_json picture;
    picture["file"] = file.file;
    if (!file.error.empty()) {
      picture["error"] = file.error;
    } else {
      picture["classes"] = ordered_json::array();
      for (const auto& guess : file.guesses) {
        picture["classes"].push_back({{"name", guess.name}, {"probability", guess.probability}});
      }
    }
    json["pictures"].push_back(picture);
  }
  return json_text(json, 2) + "\n";
}

}  // namespace mlaan
