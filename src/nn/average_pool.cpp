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

}  // namespace mlaan
