// The name of a Python object's type, for messages.
#pragma once

#include <pybind11/pybind11.h>

#include <string>

namespace mlaan::python {

/// "list". The GIL must be held.
inline std::string type_name(const pybind11::handle& object) {
  return pybind11::str(pybind11::type::handle_of(object).attr("__name__"));
}

}  // namespace mlaan::python
