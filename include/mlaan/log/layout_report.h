// Predicted layouts of a training, for people and for programs.
#pragma once

#include <mlaan/train/layout_prediction.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// One line a layout, and then one a stage of the layout that was asked for, the second.
std::string layout_table(const std::vector<PredictedLayout>& layouts);

/// All of them, with all stages, as JSON.
void write_layouts(const std::filesystem::path& path, const std::vector<PredictedLayout>& layouts);

}  // namespace mlaan
