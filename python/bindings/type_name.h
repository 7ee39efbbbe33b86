// What messages call the type of a Python object.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace mlaan::python {

/// "list". To be called with the interpreter's lock held.
inline std::string type_name(const pybind11::handle& object) {
  return pybind11::str(pybind11::type::handle_of(object).attr("__name__"));
}

}  // namespace mlaan::python
