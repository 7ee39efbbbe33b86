// Reads IDX files, MNIST's format: an array of bytes behind a header of its sizes.
#pragma once

#include <torch/types.h>

#include <filesystem>

namespace mlaan {

/// Reads an IDX file of unsigned bytes (type 0x08), gzip-compressed or not: two zero bytes, the
/// type, the number d of dimensions, d sizes as big-endian 32-bit integers, the bytes, last index
/// fastest.
/// \return uint8, of the file's sizes.
/// \throws UserError naming the file and what is wrong with it: not there, no IDX, another type,
///         sizes that the file cannot hold, cut short, too long, or gzip data that are damaged.
torch::Tensor read_idx(const std::filesystem::path& path);

}  // namespace mlaan
