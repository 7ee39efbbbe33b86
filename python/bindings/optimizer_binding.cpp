// Binds mlaan's optimizers and factories of torch.optim optimizers.
#include "bindings.h"
#include "python_optimizer.h"

#include <string>

namespace mlaan::python {
namespace {

MomentFormat moment_format(bool eight_bit) {
  return eight_bit ? MomentFormat::eight_bit : MomentFormat::float32;
}

BoundOptimizer make_sgd(double lr, double momentum, double weight_decay, bool nesterov,
                        bool decay_norms, bool eight_bit) {
  return {"sgd",
          sgd({lr, momentum, weight_decay, nesterov, decay_norms, moment_format(eight_bit)})};
}

BoundOptimizer make_adam(const std::string& kind, double lr, double beta1, double beta2,
                         double epsilon, double weight_decay, bool decay_norms, bool eight_bit) {
  const AdamOptions options{
      lr, beta1, beta2, epsilon, weight_decay, decay_norms, moment_format(eight_bit)};
  if (kind == "adam") return {kind, adam(options)};
  return {kind, kind == "adamw" ? adamw(options) : lamb(options)};
}

}  // namespace

void bind_optimizers(py::module_& module) {
  py::class_<BoundOptimizer>(module, "Optimizer", "Makes the optimizer of each module and net.")
      .def_static("sgd", &make_sgd)
      .def_static("adam", &make_adam)
      .def_static("of_function",
                  [](const py::object& make) {
                    return BoundOptimizer{"function", optimizer_factory(make)};
                  })
      .def_readonly("kind", &BoundOptimizer::kind);
}

}  // namespace mlaan::python
