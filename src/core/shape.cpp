// Sizes of a tensor for one sample, without the batch dimension.
#include <mlaan/core/shape.h>

namespace mlaan {

std::string to_string(const Shape& shape) {
  std::string text;
  for (const auto size : shape) text += (text.empty() ? "" : "×") + std::to_string(size);
  return text;
}

}  // namespace mlaan
