// The functions that bind the parts of the extension module.
#pragma once

#include <pybind11/pybind11.h>

namespace mlaan::python {

void bind_backbone(pybind11::module_& module);
void bind_optimizers(pybind11::module_& module);
void bind_plan(pybind11::module_& module);
void bind_engine(pybind11::module_& module);
void bind_trial(pybind11::module_& module);
void bind_measures(pybind11::module_& module);
void bind_layers(pybind11::module_& module);
void bind_plots(pybind11::module_& module);

}  // namespace mlaan::python
