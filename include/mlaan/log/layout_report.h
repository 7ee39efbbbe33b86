// Reports of predicted layouts of a training, as a table and as JSON.
#pragma once

#include <mlaan/train/layout_prediction.h>

#include <filesystem>
#include <string>
#include <vector>

namespace mlaan {

/// A table with one line per layout, then one with one line per stage of the requested layout,
/// which is the second.
std::string layout_table(const std::vector<PredictedLayout>& layouts);

/// Writes all layouts with all stages as JSON.
void write_layouts(const std::filesystem::path& path, const std::vector<PredictedLayout>& layouts);

}  // namespace mlaan
