// Encodes pictures as PNG and base64, for HTML pages.
#pragma once

#include <torch/types.h>

#include <string>
#include <string_view>

namespace mlaan {

/// Encodes a picture as PNG. \param picture uint8, 1 or 3 × height × width.
std::string png_bytes(const torch::Tensor& picture);

/// Base64 encoding, of the letters A–Z, a–z, 0–9, + and /.
std::string base64(std::string_view bytes);

}  // namespace mlaan
