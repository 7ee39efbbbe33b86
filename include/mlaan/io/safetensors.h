// Reads and writes safetensors files: named tensors after a JSON header.
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

  /// The tensor of this name; undefined if there is none.
  torch::Tensor find(const std::string& name) const;
};

/// \throws UserError naming the file and what is wrong: missing, cut short, an invalid header, a
///         tensor of unknown type or with a size that does not match its shape, bytes that do not
///         match the checksum (which files written by mlaan have).
TensorFile read_safetensors(const std::filesystem::path& path);

/// Writes the tensors in row-major order whatever their memory format, whole or not at all (see
/// AtomicFile), with a checksum of their bytes in the metadata.
/// \throws UserError if the folder cannot be written to.
/// \throws Error if writing fails, for example on a full disk.
void write_safetensors(const std::filesystem::path& path, const TensorFile& content);

}  // namespace mlaan
