// The ranks of a process group as the processes that share a batch.
#include "dist/group_peers.h"

#include <ATen/Functions.h>

#include <cstring>
#include <vector>

namespace mlaan {

void GroupPeers::sum(const torch::Tensor& numbers, const std::string& what) {
  group_.sum(numbers, what);
}

BatchPeers::Gathered GroupPeers::gather(const torch::Tensor& rows, const std::string& what) {
  const torch::NoGradGuard no_grad;
  const torch::Tensor own = rows.detach().cpu().contiguous();
  std::string bytes(own.nbytes(), '\0');
  if (!bytes.empty()) std::memcpy(bytes.data(), own.data_ptr(), own.nbytes());
  const auto all = group_.gather(bytes, what);
  const std::int64_t row_bytes =
      own.size(0) == 0 ? 1 : static_cast<std::int64_t>(own.nbytes()) / own.size(0);
  std::vector<torch::Tensor> parts;
  std::int64_t first = 0;
  for (std::size_t rank = 0; rank < all.size(); ++rank) {
    std::vector<std::int64_t> sizes = own.sizes().vec();
    sizes[0] = static_cast<std::int64_t>(all[rank].size()) / row_bytes;
    if (static_cast<int>(rank) < group_.rank()) first += sizes[0];
    parts.push_back(at::empty(sizes, own.options()));
    if (all[rank].empty()) continue;
    std::memcpy(parts.back().data_ptr(), all[rank].data(), all[rank].size());
  }
  return {at::cat(parts).to(rows.device()), first};
}

}  // namespace mlaan
