// The floating-point type that forward passes compute in.
#pragma once

#include <c10/core/Device.h>
#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// bfloat16 and float16 use LibTorch's autocast: convolutions and linear layers compute in that
/// type, operators that would lose accuracy in float32.
enum class Precision : std::uint8_t { float32, bfloat16, float16 };

std::string to_string(Precision precision);
/// Parses the text that to_string() returns.
/// \throws UserError for any other text.
Precision parse_precision(const std::string& text);

c10::ScalarType dtype_of(Precision precision);

/// \throws UserError for a device that does not support the precision: float16 needs CUDA, bfloat16
///         CUDA or the CPU.
void check_precision(Precision precision, c10::Device device);

}  // namespace mlaan
