// Binds Backbone: chains of units and a head.
#include "bindings.h"
#include "named_tensors.h"
#include "python_layer.h"

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/backbones.h>

#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

#include <optional>
#include <tuple>

namespace mlaan::python {
namespace {

std::vector<Unit> make_units(const std::vector<py::object>& units) {
  std::vector<Unit> made;
  made.reserve(units.size());
  for (const auto& unit : units) made.push_back(make_unit(unit));
  return made;
}

/// Rows and columns of the patches, number of tokens before them, whether the first of those is a
/// class token.
using GivenTokenLayout = std::tuple<std::int64_t, std::int64_t, std::int64_t, bool>;

Backbone make_python_backbone(const std::string& name, const std::vector<py::object>& units,
                              const std::vector<py::object>& head, const Shape& input_shape,
                              std::size_t block_count,
                              const std::optional<GivenTokenLayout>& tokens) {
  Backbone backbone(name, make_units(units), make_units(head), input_shape);
  backbone.set_block_count(block_count);
  if (tokens) {
    const auto [rows, columns, prefix, class_token] = *tokens;
    backbone.set_token_layout({rows, columns, prefix, class_token});
  }
  return backbone;
}

std::vector<std::string> unit_names(const Backbone& backbone) {
  std::vector<std::string> names;
  for (const auto& unit : backbone.units()) names.push_back(unit.name());
  return names;
}

torch::Tensor run(const Backbone& backbone, const torch::Tensor& images) {
  const py::gil_scoped_release unlock;
  return backbone.forward(images);
}

}  // namespace

void bind_backbone(py::module_& module) {
  py::class_<Backbone>(module, "Backbone", "A chain of units and a head.")
      .def(py::init(&make_python_backbone), py::arg("name"), py::arg("units"), py::arg("head"),
           py::arg("input_shape"), py::arg("block_count"), py::arg("tokens"))
      .def_property_readonly("name", &Backbone::name)
      .def_property_readonly("classes", &Backbone::classes)
      .def_property_readonly("block_count", &Backbone::block_count)
      .def_property_readonly("unit_names", &unit_names)
      .def("input_shape", &Backbone::input_shape)
      .def("output_shape", &Backbone::output_shape)
      .def("overwrites_input", &Backbone::overwrites_input)
      .def("set_normalisation",
           [](Backbone& backbone, const std::vector<double>& mean,
              const std::vector<double>& deviation) {
             backbone.set_normalisation({mean, deviation});
           })
      .def("to", [](const Backbone& backbone,
                    const std::string& device) { backbone.to(torch::Device(device)); })
      .def("train", &Backbone::train)
      .def("forward", &run)
      .def("named_parameters",
           [](const Backbone& backbone) { return to_python(backbone.named_parameters()); })
      .def("named_buffers",
           [](const Backbone& backbone) { return to_python(backbone.named_buffers()); });
  module.def(
      "make_backbone",
      [](const std::string& name, std::int64_t classes, const Shape& shape, std::uint64_t seed) {
        return make_backbone(name, classes, shape, seed);
      },
      py::arg("name"), py::arg("classes"), py::arg("shape"), py::arg("seed"));
}

}  // namespace mlaan::python
