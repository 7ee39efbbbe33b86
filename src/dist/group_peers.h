// The ranks of a process group as the processes that share a batch.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/nn/batch_peers.h>

namespace mlaan {

/// Sums and gathers over all ranks, in the same order as other collectives of the group.
class GroupPeers final : public BatchPeers {
 public:
  explicit GroupPeers(ProcessGroup& group) : group_(group) {}

  void sum(const torch::Tensor& numbers, const std::string& what) override;
  Gathered gather(const torch::Tensor& rows, const std::string& what) override;

 private:
  ProcessGroup& group_;
};

}  // namespace mlaan
