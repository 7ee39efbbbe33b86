// Maps whose positions are repeated along the rows.
#include "nn/kernels/repeated_along_rows.h"

#include "core/samples_in_parallel.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

namespace mlaan {

torch::Tensor repeated_along_rows(const torch::Tensor& maps, std::int64_t times) {
  const torch::Tensor positions = maps.permute({0, 2, 3, 1});
  torch::Tensor result =
      at::empty({maps.size(0), maps.size(2), maps.size(3) * times, maps.size(1)}, maps.options());
  const torch::Tensor side_by_side =
      result.view({-1, maps.size(2), maps.size(3), times * maps.size(1)});
  // LibTorch's operator is single-threaded; here each thread gets a share of the samples.
  const std::int64_t threads = at::get_num_threads();
  const std::int64_t samples_at_once =
      std::max((maps.size(0) + threads - 1) / threads,
               at::internal::GRAIN_SIZE * maps.size(0) / result.numel());
  const auto repeat = [&](auto /*worker*/, std::int64_t first, std::int64_t samples) {
    const std::vector<torch::Tensor> copies(static_cast<std::size_t>(times),
                                            positions.narrow(0, first, samples));
    torch::Tensor part = side_by_side.narrow(0, first, samples);
    at::cat_out(part, copies, 3);
  };
  for_samples_in_parallel(maps.size(0), samples_at_once, repeat);
  return result.permute({0, 3, 1, 2});
}

}  // namespace mlaan
