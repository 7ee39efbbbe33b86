// The floating-point type that forward passes compute in.
#include <mlaan/core/error.h>
#include <mlaan/core/precision.h>
#include <mlaan/core/suggest.h>

#include <array>

namespace mlaan {
namespace {

constexpr std::array<Precision, 3> precisions{Precision::float32, Precision::bfloat16,
                                              Precision::float16};

}  // namespace

std::string to_string(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return "bfloat16";
    case Precision::float16:
      return "float16";
    case Precision::float32:
      break;
  }
  return "float32";
}

Precision parse_precision(const std::string& text) {
  for (const auto precision : precisions) {
    if (to_string(precision) == text) return precision;
  }
  throw UserError(unknown_name("precision", text, {"float32", "bfloat16", "float16"}));
}

c10::ScalarType dtype_of(Precision precision) {
  switch (precision) {
    case Precision::bfloat16:
      return c10::ScalarType::BFloat16;
    case Precision::float16:
      return c10::ScalarType::Half;
    case Precision::float32:
      break;
  }
  return c10::ScalarType::Float;
}

void check_precision(Precision precision, c10::Device device) {
  if (precision == Precision::float32 || device.is_cuda()) return;
  if (precision == Precision::bfloat16 && device.is_cpu()) return;
  throw UserError("engine.precision = \"" + to_string(precision) + "\" cannot run on the device " +
                  device.str() +
                  ": autocast computes in float16 on CUDA devices only, in bfloat16 on the CPU "
                  "too; accepted here: " +
                  (device.is_cpu() ? "float32, bfloat16" : "float32"));
}

}  // namespace mlaan
