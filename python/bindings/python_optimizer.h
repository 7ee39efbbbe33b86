// A torch.optim optimizer as the optimizer of a module or a net.
#pragma once

#include "reference.h"

#include <mlaan/local/optimizer.h>

#include <torch/optim/optimizer.h>

#include <string>
#include <vector>

namespace mlaan::python {

/// Steps an optimizer of Python's. Each of its groups has a learning rate here, which is handed to
/// it when it is set here; what Python sets itself stays.
class PythonOptimizer : public torch::optim::Optimizer {
 public:
  explicit PythonOptimizer(py::object optimizer, std::vector<torch::Tensor> parameters);

  torch::Tensor step(LossClosure closure = nullptr) override;
  const py::object& optimizer() const { return optimizer_.get(); }

 private:
  Reference optimizer_;
  std::vector<double> handed_over_;  ///< learning rates
};

/// What makes optimizers, as Python holds it.
struct BoundOptimizer {
  std::string kind;  ///< "sgd", "adam", "adamw", "lamb", or "function"
  OptimizerFactory make;
};

/// \param make a function of a list of parameters that gives a torch.optim.Optimizer of them.
OptimizerFactory optimizer_factory(const py::object& make);

}  // namespace mlaan::python
