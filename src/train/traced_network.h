// Networks as graphs of LibTorch's operators, by running them and writing down what was called.
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

/// A size that may grow with the batch.
struct TracedSize {
  std::int64_t size = 0;  ///< for one image, where it grows with the batch
  bool of_batch = false;
};

/// A network as a graph: its inputs are the module, which holds parameters and buffers under the
/// network's own names, and a batch of images of any size. It gives the logits; where there are
/// exits, a tuple of those of each exit and of the head.
struct TracedNetwork {
  torch::jit::Module module;  ///< without a forward pass, as yet
  std::shared_ptr<torch::jit::Graph> graph;
  /// Sizes of every tensor that is computed.
  std::unordered_map<const torch::jit::Value*, std::vector<TracedSize>> sizes;
};

/// Runs the network, in evaluation mode and on the CPU, on batches of two sizes; what differs
/// between them is what depends on the batch. \throws Error for a network whose graph is not the
/// same for both.
TracedNetwork trace_network(const MultiExitNetwork& network);

/// Makes the graph the module's forward pass.
torch::jit::Module scripted(const TracedNetwork& traced);

}  // namespace mlaan
