// Files as tensors of bytes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mlaan {

/// Size of a file in bytes.
/// \throws UserError if there is no such file.
std::int64_t file_bytes(const std::filesystem::path& path);

/// An uninitialised uint8 tensor for the content of a file.
/// \throws UserError naming the file if there is not enough memory.
torch::Tensor allocate_for(const std::filesystem::path& path,
                           const std::vector<std::int64_t>& sizes);

/// All bytes of a file, as a one-dimensional uint8 tensor.
/// \throws UserError if there is no such file, it cannot be read, or it does not fit into memory.
torch::Tensor read_bytes(const std::filesystem::path& path);

}  // namespace mlaan
