// Reads arrays from MATLAB files of level 5.
#pragma once

#include <torch/types.h>

#include <filesystem>
#include <string>

namespace mlaan {

/// Whether this build can read MATLAB files, that is, whether it has matio.
bool can_read_matlab_files();

/// Reads an array of integers or floating-point numbers from a `.mat` file of level 5, the format
/// that MATLAB writes by `save -v6` and `save -v7`, through matio.
/// \param variable name of the array.
/// \return the array with MATLAB's sizes, number type and strides: the first index varies fastest.
/// \throws UserError naming file and variable for what is missing, cut short, damaged, of another
///         format, not a real dense array of numbers, or of sizes that the file cannot hold; and if
///         this build has no matio.
torch::Tensor read_matlab_array(const std::filesystem::path& path, const std::string& variable);

}  // namespace mlaan
