// Traces networks: runs them and records the LibTorch operators that are called as a graph.
#pragma once

#include <mlaan/train/multi_exit_network.h>

#include <torch/csrc/jit/api/module.h>
#include <torch/csrc/jit/ir/ir.h>

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace mlaan {

/// A size that may be proportional to the batch size.
struct TracedSize {
  std::int64_t size = 0;  ///< the factor of the batch size, where it is proportional
  bool of_batch = false;
};

/// A network as a graph. Its inputs are the module, which holds parameters and buffers under the
/// network's names, and a batch of images of any size. It returns the logits; with exits, a tuple
/// of the logits of each exit and of the head.
struct TracedNetwork {
  torch::jit::Module module;  ///< has no forward method yet
  std::shared_ptr<torch::jit::Graph> graph;
  /// Shapes of all tensors in the graph.
  std::unordered_map<const torch::jit::Value*, std::vector<TracedSize>> sizes;
};

/// Traces the network, in evaluation mode and on the CPU, for two batch sizes; what differs between
/// the traces depends on the batch.
/// \throws Error if the two graphs have different operators.
TracedNetwork trace_network(const MultiExitNetwork& network);

/// Makes the graph the module's forward method.
torch::jit::Module scripted(const TracedNetwork& traced);

}  // namespace mlaan
