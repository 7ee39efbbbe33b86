// Reads and writes safetensors files: named tensors behind a JSON header.
#pragma once

#include <mlaan/nn/unit.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace mlaan {

/// The content of a safetensors file.
struct TensorFile {
  std::map<std::string, std::string> metadata;
  std::vector<NamedTensor> tensors;

  /// The tensor of this name, or an undefined one.
  torch::Tensor find(const std::string& name) const;
};

/// \throws UserError naming the file and what is wrong with it: not there, cut short, a header that
///         is no header, a tensor of an unknown type or whose size is not that of its shape, bytes
///         that do not match the checksum (which files written here have).
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes the tensors, row-major whatever their memory format, whole or not at all, with a checksum
/// of their bytes in the metadata.
/// \throws UserError if the folder cannot be written to; Error if writing fails, for example on a
///         full disk.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content);

}  // namespace mlaan
