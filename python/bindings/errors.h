// What Python sees of C++ exceptions.
#pragma once

#include <pybind11/pybind11.h>

namespace mlaan::python {

/// Adds the exceptions `Error` (a RuntimeError) and `UserError` (also a ValueError) to the module,
/// and lets mlaan's, LibTorch's and Python's own come out as what they are.
void bind_errors(pybind11::module_& module);

}  // namespace mlaan::python
