// Binds Trial: the cost of a plan's step, measured on a few images.
#include "bindings.h"
#include "engine_options.h"

#include <mlaan/local/automatic_recompute.h>
#include <mlaan/local/trial.h>

#include <pybind11/stl.h>

#include <optional>

namespace mlaan::python {
namespace {

namespace py = pybind11;

std::vector<int> levels(const std::vector<Recompute>& recompute) {
  std::vector<int> numbers;
  for (const auto level : recompute) numbers.push_back(static_cast<int>(level));
  return numbers;
}

Trial make_trial(const Backbone& backbone, const Plan& plan, const py::dict& options) {
  EngineOptions made = make_engine_options(options);
  const py::gil_scoped_release unlock;
  return Trial(backbone, plan, std::move(made));
}

}  // namespace

void bind_trial(py::module_& module) {
  using Unlocked = py::call_guard<py::gil_scoped_release>;
  py::class_<Trial>(module, "Trial")
      .def(py::init(&make_trial))
      .def_property_readonly("resting_bytes", &Trial::resting_bytes)
      .def("peak_bytes", &Trial::peak_bytes, py::arg("batch"), py::arg("micro_batches") = 1,
           Unlocked())
      .def("largest_batch", &Trial::largest_batch, Unlocked())
      .def("seconds", &Trial::seconds, Unlocked())
      .def(
          "reduce_peak",
          [](Trial& trial, std::int64_t batch, std::int64_t bytes, std::int64_t micro_batches) {
            return reduce_peak(trial, batch, bytes, micro_batches);
          },
          Unlocked())
      .def_property_readonly("recompute", [](const Trial& trial) {
        return std::make_pair(levels(trial.plan().recompute), levels(trial.plan().recompute_nets));
      });
}

}  // namespace mlaan::python
