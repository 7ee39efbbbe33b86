// Reads IDX files, MNIST's format: an array of bytes after a header with its sizes.
#pragma once

#include <torch/types.h>

#include <filesystem>

namespace mlaan {

/// Reads an IDX file of unsigned bytes (type 0x08), gzip-compressed or not: two zero bytes, the
/// type, the number d of dimensions, d sizes as big-endian 32-bit integers, then the bytes, last
/// index fastest.
/// \return uint8, with the sizes that the header states.
/// \throws UserError naming the file and what is wrong: missing, not IDX, another type, sizes that
///         the file cannot hold, cut short, too long, or damaged gzip data.
torch::Tensor read_idx(const std::filesystem::path& path);

}  // namespace mlaan
