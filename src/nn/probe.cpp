// Finds the output shapes of layers by running them on a sample.
#include <mlaan/nn/probe.h>

#include <c10/util/Exception.h>

namespace mlaan {

Shape batch_shape(std::int64_t count, const Shape& shape) {
  Shape sizes{count};
  sizes.insert(sizes.end(), shape.begin(), shape.end());
  return sizes;
}

torch::Tensor zero_batch(std::int64_t count, const Shape& shape,
                         const torch::TensorOptions& options) {
  return torch::zeros(batch_shape(count, shape), options);
}

Shape shape_of(const torch::Tensor& batch) {
  return {batch.sizes().begin() + 1, batch.sizes().end()};
}

torch::Tensor probe(const Unit& unit, const torch::Tensor& batch, const std::string& owner) {
  torch::Tensor output;
  try {
    output = unit.forward(batch);
  } catch (const c10::Error& error) {
    throw UserError("unit '" + unit.name() + "' of " + owner + " cannot take a sample of shape " +
                    to_string(shape_of(batch)) + ": " + error.what_without_backtrace());
  }
  if (output.dim() < 2 || output.size(0) != batch.size(0)) {
    throw UserError("unit '" + unit.name() + "' of " + owner +
                    " must give one row or map for each sample of the batch; it gave a tensor of " +
                    std::to_string(output.dim()) + " dimensions");
  }
  return output;
}

}  // namespace mlaan
