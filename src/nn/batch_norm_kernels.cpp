// LibTorch's kernels of batch normalisation, with a say in what they compute and where it goes.
#include "nn/batch_norm_kernels.h"

#include "core/sole_owner.h"

#include <ATen/Functions.h>
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
#include <ATen/native/batch_norm.h>
#endif

#include <utility>

namespace mlaan {
namespace {

#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
/// Whether the kernels take this input as it is.
bool is_plain(const torch::Tensor& input, const BatchNormRecord& record) {
  return input.is_cpu() && input.scalar_type() == record.scale.scalar_type() &&
         input.is_contiguous(input.suggest_memory_format());
}
#endif

}  // namespace

torch::Tensor normalise_again(const torch::Tensor& input, const BatchNormRecord& record) {
  const torch::Tensor none;
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  if (is_plain(input, record)) {
    torch::Tensor output = at::empty_like(input, input.suggest_memory_format());
    at::native::batch_norm_cpu_stub(at::kCPU, output, input, record.scale, record.shift,
                                    record.mean, record.inverse_deviation, none, none,
                                    /*train=*/true, record.epsilon);
    return output;
  }
#endif
  return std::get<0>(at::native_batch_norm(input, record.scale, record.shift, none, none,
                                           /*training=*/true, 0, record.epsilon));
}

std::tuple<torch::Tensor, torch::Tensor, torch::Tensor> batch_norm_backward(
    torch::Tensor gradient, const torch::Tensor& input, const BatchNormRecord& record,
    std::array<bool, 3> wanted) {
  const torch::Tensor none;
#ifdef MLAAN_HAS_BATCH_NORM_KERNEL
  const auto format = input.suggest_memory_format();
  const bool plain = is_plain(input, record) && gradient.scalar_type() == input.scalar_type() &&
                     gradient.is_contiguous(format) && gradient.suggest_memory_format() == format;
  if (plain) {
    torch::Tensor before;
    if (wanted[0]) before = is_sole_owner(gradient) ? gradient : at::empty_like(input, format);
    torch::Tensor scale = at::empty_like(record.scale);
    torch::Tensor shift = at::empty_like(record.scale);
    at::native::batch_norm_cpu_backward_stub(
        at::kCPU, before, scale, shift, gradient, input, record.scale, none, none, record.mean,
        record.inverse_deviation, /*train=*/true, record.epsilon);
    return {before, wanted[1] ? scale : none, wanted[2] ? shift : none};
  }
#endif
  return at::native_batch_norm_backward(gradient, input, record.scale, none, none, record.mean,
                                        record.inverse_deviation, /*train=*/true, record.epsilon,
                                        wanted);
}

}  // namespace mlaan
