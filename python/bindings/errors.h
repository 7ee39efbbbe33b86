// Translates C++ exceptions to Python's.
#pragma once

#include <pybind11/pybind11.h>

namespace mlaan::python {

/// Adds the exceptions `Error` (a RuntimeError) and `UserError` (also a ValueError) to the module.
/// Exceptions of mlaan, LibTorch and Python reach Python as their own types.
void bind_errors(pybind11::module_& module);

}  // namespace mlaan::python
