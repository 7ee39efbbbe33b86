// Pictures as PNG files, for pages that show them.
#pragma once

#include <torch/types.h>

#include <string>
#include <string_view>

namespace mlaan {

/// \param picture uint8, 1 or 3 × height × width.
std::string png_bytes(const torch::Tensor& picture);

/// Bytes as text of the letters A–Z, a–z, 0–9, + and /.
std::string base64(std::string_view bytes);

}  // namespace mlaan
