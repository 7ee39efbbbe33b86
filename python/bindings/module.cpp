// The extension module mlaan._engine.
#include "bindings.h"
#include "errors.h"

#include <mlaan/measure/memory.h>

PYBIND11_MODULE(_engine, module) {
  // LibTorch's Python library must be loaded before tensors can be converted.
  pybind11::module_::import("torch");
  module.doc() = "The engine of mlaan. Use the package mlaan instead.";
  module.attr("__version__") = MLAAN_VERSION;
  module.attr("built_for_torch") = MLAAN_TORCH_VERSION;
  mlaan::measure::install_counting_allocator();
  mlaan::python::bind_errors(module);
  mlaan::python::bind_backbone(module);
  mlaan::python::bind_optimizers(module);
  mlaan::python::bind_plan(module);
  mlaan::python::bind_engine(module);
  mlaan::python::bind_trial(module);
  mlaan::python::bind_measures(module);
  mlaan::python::bind_layers(module);
  mlaan::python::bind_plots(module);
}
