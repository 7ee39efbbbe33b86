// Average pooling over squares that do not overlap.
#include <mlaan/nn/average_pool.h>

#include <ATen/Functions.h>

namespace mlaan {

torch::Tensor AveragePoolImpl::forward(const torch::Tensor& input) {
  torch::Tensor output = at::avg_pool2d(input, {rows_, columns_}, {rows_, columns_});
  if (output.requires_grad()) {
    output.register_hook([format = input.suggest_memory_format()](const torch::Tensor& gradient) {
      return gradient.contiguous(format);
    });
  }
  return output;
}

void AveragePoolImpl::send_back(const torch::Tensor& gradient, const Put& put) const {
  const auto height = gradient.size(2) * rows_;
  const auto width = gradient.size(3) * columns_;
  // All positions of a square at once: they lie near each other in memory.
  const torch::Tensor share = (gradient / (rows_ * columns_)).unsqueeze(3).unsqueeze(5);
  put(share, [&](const torch::Tensor& maps) {
    return maps.slice(2, 0, height)
        .slice(3, 0, width)
        .unflatten(2, {gradient.size(2), rows_})
        .unflatten(4, {gradient.size(3), columns_});
  });
  // What the squares did not reach.
  const torch::Tensor nothing = at::zeros({}, gradient.options());
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, height); });
  put(nothing, [&](const torch::Tensor& maps) { return maps.slice(2, 0, height).slice(3, width); });
}

}  // namespace mlaan
