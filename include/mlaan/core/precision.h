// The type of numbers that forward passes compute in.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// The lower two through LibTorch's autocast: convolutions and linear layers compute in them, what
/// would suffer stays in float32.
enum class Precision : std::uint8_t { float32, bfloat16, float16 };

std::string to_string(Precision precision);
/// Reads what to_string() gives.
/// \throws UserError for any other text.
Precision parse_precision(const std::string& text);

c10::ScalarType dtype_of(Precision precision);

/// \throws UserError for a device that cannot compute in it: float16 is for CUDA alone.
void check_precision(Precision precision, c10::Device device);

}  // namespace mlaan
