// Binds measurements of bytes and multiply-adds, and the setup of the process.
#include "bindings.h"

#include <mlaan/core/process.h>
#include <mlaan/core/quantity.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/measure/memory.h>
#include <mlaan/nn/layers/narrow.h>

#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

namespace mlaan::python {
namespace {

namespace py = pybind11;

py::dict by_kind(const measure::BytesByKind& bytes) {
  py::dict dict;
  for (std::size_t kind = 0; kind < bytes.size(); ++kind) {
    dict[measure::to_string(static_cast<measure::MemoryKind>(kind))] = bytes.at(kind);
  }
  return dict;
}

py::dict read_memory() {
  const auto reading = measure::read_memory(torch::kCPU);
  py::dict dict;
  dict["live"] = reading.live;
  dict["peak"] = reading.peak;
  dict["live_by_kind"] = by_kind(reading.live_by_kind);
  dict["peak_by_kind"] = by_kind(reading.peak_by_kind);
  return dict;
}

py::list cost_rows(const Backbone& backbone, const Plan& plan) {
  const CostReport report = [&] {
    const py::gil_scoped_release unlock;
    return cost_report(backbone, plan);
  }();
  py::list rows;
  const auto add = [&rows](const std::string& name, const std::vector<std::string>& units,
                           const ForwardCost& cost) {
    py::dict row;
    row["name"] = name;
    row["units"] = units;
    row["parameters"] = cost.parameters;
    row["multiply_adds"] = cost.multiply_adds;
    row["activation_bytes"] = cost.activation_bytes;
    rows.append(std::move(row));
  };
  for (std::size_t j = 0; j < report.modules.size(); ++j) {
    add("module " + std::to_string(j + 1), report.modules[j].units, report.modules[j].cost);
  }
  for (const auto& net : report.nets) add(net.name, net.units, net.cost);
  return rows;
}

}  // namespace

void bind_measures(py::module_& module) {
  module.def("read_memory", &read_memory);
  module.def("reset_peak", [] { measure::reset_peak(torch::kCPU); });
  module.def("prepare_process", [](int threads) {
    const ProcessReport report = prepare_process(threads);
    return py::make_tuple(report.threads, report.blas, report.blas_hint);
  });
  module.def("parse_bytes", &parse_bytes);
  module.def("format_bytes", &format_bytes);
  module.def("costs", &cost_rows);
  module.def("grouped", [](const torch::Tensor& weights, const std::vector<std::int64_t>& shape) {
    return grouped(weights, shape);
  });
}

}  // namespace mlaan::python
