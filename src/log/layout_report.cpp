// Predicted layouts of a training as a table and as JSON.
#include "io/json_text.h"

#include <mlaan/core/quantity.h>
#include <mlaan/io/atomic_file.h>
#include <mlaan/log/layout_report.h>
#include <mlaan/log/table.h>

#include <nlohmann/json.hpp>

#include <algorithm>

namespace mlaan {
namespace {

double images_per_second(const PredictedLayout& layout) {
  return static_cast<double>(layout.images) / layout.step_seconds;
}

/// The highest value over all stages.
template <class Number>
Number highest_of(const PredictedLayout& layout, Number PredictedStage::*what) {
  Number highest = 0;
  for (const auto& stage : layout.stages) highest = std::max(highest, stage.*what);
  return highest;
}

std::string percent_text(double share) {
  return fixed(100 * share, 0) + " %";
}

std::string bytes_text(double bytes) {
  return format_bytes(static_cast<std::int64_t>(bytes));
}

std::string stages_table(const PredictedLayout& layout) {
  Table table({"stage", "modules", "busy s", "waits s", "sent a step", "peak"});
  for (std::size_t s = 0; s < layout.stages.size(); ++s) {
    const PredictedStage& stage = layout.stages[s];
    table.add({std::to_string(s + 1),
               std::to_string(stage.first_module) + " to " + std::to_string(stage.last_module),
               fixed(stage.busy_seconds, 4), fixed(stage.waiting_seconds, 4),
               bytes_text(stage.bytes_sent), format_bytes(stage.peak_bytes)});
  }
  return table.to_string();
}

}  // namespace

std::string layout_table(const std::vector<PredictedLayout>& layouts) {
  Table table(
      {"layout", "images a step", "step s", "images/s", "waits at most", "sent a step", "peak"});
  for (const auto& layout : layouts) {
    const double waits = highest_of(layout, &PredictedStage::waiting_seconds);
    table.add({layout.name, std::to_string(layout.images), fixed(layout.step_seconds, 4),
               fixed(images_per_second(layout), 1), percent_text(waits / layout.step_seconds),
               bytes_text(highest_of(layout, &PredictedStage::bytes_sent)),
               format_bytes(highest_of(layout, &PredictedStage::peak_bytes))});
  }
  std::string text = table.to_string();
  if (layouts.size() > 1 && layouts[1].stages.size() > 1) {
    text += "\n" + stages_table(layouts[1]);
  }
  return text;
}

void write_layouts(const std::filesystem::path& path, const std::vector<PredictedLayout>& layouts) {
  auto json = nlohmann::ordered_json::array();
  for (const auto& layout : layouts) {
    auto stages = nlohmann::ordered_json::array();
    for (const auto& stage : layout.stages) {
      stages.push_back({{"first_module", stage.first_module},
                        {"last_module", stage.last_module},
                        {"busy_seconds", stage.busy_seconds},
                        {"waiting_seconds", stage.waiting_seconds},
                        {"bytes_sent", stage.bytes_sent},
                        {"peak_bytes", stage.peak_bytes}});
    }
    json.push_back({{"layout", layout.name},
                    {"images", layout.images},
                    {"step_seconds", layout.step_seconds},
                    {"images_per_second", images_per_second(layout)},
                    {"stages", std::move(stages)}});
  }
  write_text(path, json.dump(2) + "\n");
}

}  // namespace mlaan
