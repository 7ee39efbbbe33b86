// The analysis of a trained network, for people and for programs.
#pragma once

#include <mlaan/train/network_analysis.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// One line a module, and one for the network's own head; where there is another network, one line
/// a unit as well; then what the columns mean.
std::string analysis_table(const NetworkAnalysis& analysis);

/// {"modules": [{"probe": {"validation_error": …, …}, "nets": {…}, …}], "head": {…}, "similarity":
/// {"units": […], "diagonal": […], "matrix": [[…]]}}. Errors are in per cent, `null` where there is
/// none.
void write_analysis(const std::filesystem::path& path, const NetworkAnalysis& analysis);

}  // namespace mlaan
