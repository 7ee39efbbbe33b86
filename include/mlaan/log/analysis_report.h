// Reports of the analysis of a trained network, as tables and as JSON.
#pragma once

#include <mlaan/train/network_analysis.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// A table with one line per module and one for the network's own head; a table with one line per
/// unit if another network was compared; then what the columns mean.
std::string analysis_table(const NetworkAnalysis& analysis);

/// Writes {"modules": [{"probe": {"validation_error": …, …}, "nets": {…}, …}], "head": {…},
/// "similarity": {"units": […], "diagonal": […], "matrix": [[…]]}}. Errors are in per cent, `null`
/// if there are none.
void write_analysis(const std::filesystem::path& path, const NetworkAnalysis& analysis);

}  // namespace mlaan
