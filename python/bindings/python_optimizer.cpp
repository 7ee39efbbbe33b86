// Wraps a torch.optim optimizer as the optimizer of a module or a net.
#include "python_optimizer.h"

#include "type_name.h"

#include <mlaan/core/error.h>

#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

namespace mlaan::python {
namespace {

using torch::optim::OptimizerParamGroup;

struct LearningRate : torch::optim::OptimizerCloneableOptions<LearningRate> {
  explicit LearningRate(double rate) : lr(rate) {}
  double get_lr() const override { return lr; }
  void set_lr(const double rate) override { lr = rate; }

  double lr;
};

std::vector<OptimizerParamGroup> groups_of(const py::object& optimizer) {
  std::vector<OptimizerParamGroup> groups;
  for (const auto& group : optimizer.attr("param_groups")) {
    groups.emplace_back(group["params"].cast<std::vector<torch::Tensor>>(),
                        std::make_unique<LearningRate>(group["lr"].cast<double>()));
  }
  return groups;
}

void check_is_of(const std::vector<OptimizerParamGroup>& groups,
                 const std::vector<torch::Tensor>& parameters) {
  std::set<const void*> stepped;
  std::size_t count = 0;
  for (const auto& group : groups) {
    for (const auto& tensor : group.params()) stepped.insert(tensor.unsafeGetTensorImpl());
    count += group.params().size();
  }
  std::size_t found = 0;
  for (const auto& parameter : parameters) found += stepped.count(parameter.unsafeGetTensorImpl());
  if (found == parameters.size() && count == parameters.size()) return;
  throw UserError("the optimizer holds " + std::to_string(found) + " of the " +
                  std::to_string(parameters.size()) + " parameters given to its function, and " +
                  std::to_string(count - found) +
                  " others; it must hold exactly the given ones, once each");
}

/// Refuses an optimizer that evaluates the loss itself, such as LBFGS: the engine has done that.
void check_needs_no_closure(const py::object& optimizer) {
  const py::object step = py::module_::import("inspect").attr("signature")(optimizer.attr("step"));
  const py::dict parameters(step.attr("parameters"));
  if (!parameters.contains("closure")) return;
  const py::object closure = parameters["closure"];
  if (!closure.attr("default").is(closure.attr("empty"))) return;
  throw UserError("the optimizer function gave a " + type_name(optimizer) +
                  ", which evaluates the loss itself, by a closure; accepted: one whose step() "
                  "needs none");
}

}  // namespace

PythonOptimizer::PythonOptimizer(py::object optimizer, std::vector<torch::Tensor> parameters)
    : Optimizer(groups_of(optimizer), std::make_unique<LearningRate>(0)),
      optimizer_(std::move(optimizer)) {
  check_is_of(param_groups(), parameters);
  for (const auto& group : param_groups()) handed_over_.push_back(group.options().get_lr());
}

torch::Tensor PythonOptimizer::step(LossClosure /*closure*/) {
  const py::gil_scoped_acquire lock;
  for (std::size_t g = 0; g < handed_over_.size(); ++g) {
    const double lr = param_groups()[g].options().get_lr();
    if (lr == handed_over_[g]) continue;
    py::list groups = optimizer().attr("param_groups");
    groups[g]["lr"] = lr;
    handed_over_[g] = lr;
  }
  optimizer().attr("step")();
  return {};
}

OptimizerFactory optimizer_factory(const py::object& make) {
  return [make = Reference(make)](
             std::vector<torch::Tensor> parameters) -> std::unique_ptr<torch::optim::Optimizer> {
    const py::gil_scoped_acquire lock;
    const py::object optimizer = make.get()(parameters);
    if (!py::hasattr(optimizer, "param_groups") || !py::hasattr(optimizer, "step")) {
      throw UserError("the optimizer function gave a " + type_name(optimizer) +
                      "; it must give a torch.optim.Optimizer of the parameters that it is given");
    }
    check_needs_no_closure(optimizer);
    return std::make_unique<PythonOptimizer>(optimizer, std::move(parameters));
  };
}

}  // namespace mlaan::python
