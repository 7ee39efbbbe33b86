// Files as tensors of bytes.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace mlaan {

/// Size of a file in bytes. \throws UserError if there is no such file.
std::int64_t file_bytes(const std::filesystem::path& path);

/// Memory for what a file holds, uint8. \throws UserError naming the file if there is not so much.
torch::Tensor allocate_for(const std::filesystem::path& path,
                           const std::vector<std::int64_t>& sizes);

/// All bytes of a file, uint8, of one dimension.
/// \throws UserError if there is no such file, or it cannot be read or held in memory.
torch::Tensor read_bytes(const std::filesystem::path& path);

}  // namespace mlaan
