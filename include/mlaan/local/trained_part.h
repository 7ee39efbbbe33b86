// A part: a module or a net that one optimizer trains.
#pragma once

#include <mlaan/nn/unit.h>

#include <torch/optim/optimizer.h>

#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// A module or a net, its parameters, and the optimizer that alone steps them.
struct TrainedPart {
  std::string name;  ///< "module 3", "aux.3.cascaded", "head"
  std::vector<NamedTensor> parameters;
  std::unique_ptr<torch::optim::Optimizer> optimizer;
};

}  // namespace mlaan
