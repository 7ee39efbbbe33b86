// Writes MATLAB files through matio.
#pragma once

#include <torch/types.h>

#include <matio.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace mlaan::testing {

/// An array of a MATLAB file.
struct MatlabArray {
  std::string name;
  matio_classes type;
  matio_types number;
  std::vector<std::size_t> sizes;
  void* data;  ///< first index fastest
};

/// Writes a file with these arrays.
inline void write_matlab(const std::filesystem::path& path, const std::vector<MatlabArray>& arrays,
                         bool packed, mat_ft version = MAT_FT_MAT5) {
  const std::unique_ptr<mat_t, decltype(&Mat_Close)> file(
      Mat_CreateVer(path.c_str(), nullptr, version), Mat_Close);
  if (!file) throw std::runtime_error("cannot write " + path.string());
  for (auto array : arrays) {
    const std::unique_ptr<matvar_t, decltype(&Mat_VarFree)> variable(
        Mat_VarCreate(array.name.c_str(), array.type, array.number,
                      static_cast<int>(array.sizes.size()), array.sizes.data(), array.data, 0),
        Mat_VarFree);
    Mat_VarWrite(file.get(), variable.get(), packed ? MAT_COMPRESSION_ZLIB : MAT_COMPRESSION_NONE);
  }
}

/// X and y as SVHN has them. \param images bytes, first index fastest, 32×32×3 for each label.
inline void write_svhn(const std::filesystem::path& path, std::string images, std::string labels,
                       bool packed = true) {
  const std::size_t count = images.size() / (32UL * 32 * 3);
  write_matlab(path,
               {{"X", MAT_C_UINT8, MAT_T_UINT8, {32, 32, 3, count}, images.data()},
                {"y", MAT_C_UINT8, MAT_T_UINT8, {labels.size(), 1}, labels.data()}},
               packed);
}

}  // namespace mlaan::testing
