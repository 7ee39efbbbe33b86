// Wraps a torch.optim optimizer as the optimizer of a module or a net.
#pragma once

#include "reference.h"

#include <mlaan/local/optimizer.h>

#include <torch/optim/optimizer.h>

#include <string>
#include <vector>

namespace mlaan::python {

/// Steps a Python optimizer. Each of its groups has a learning rate here, which is passed on to
/// Python when it changes; a rate set in Python is otherwise kept.
class PythonOptimizer : public torch::optim::Optimizer {
 public:
  explicit PythonOptimizer(py::object optimizer, std::vector<torch::Tensor> parameters);

  torch::Tensor step(LossClosure closure = nullptr) override;
  const py::object& optimizer() const { return optimizer_.get(); }

 private:
  Reference optimizer_;
  std::vector<double> handed_over_;  ///< learning rates last passed on to Python, by group
};

/// An optimizer factory, as an object of Python.
struct BoundOptimizer {
  std::string kind;  ///< "sgd", "adam", "adamw", "lamb", or "function"
  OptimizerFactory make;
};

/// \param make a function that takes a list of parameters and returns a torch.optim.Optimizer.
OptimizerFactory optimizer_factory(const py::object& make);

}  // namespace mlaan::python
