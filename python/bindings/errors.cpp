// Translates C++ exceptions to Python's.
#include "errors.h"

#include <mlaan/core/error.h>

#include <torch/csrc/Exceptions.h>

namespace mlaan::python {
namespace {

namespace py = pybind11;

// Globals, since the translator is a plain function; types live as long as the interpreter.
PyObject* error_type = nullptr;
PyObject* user_error_type = nullptr;

void translate(std::exception_ptr thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const UserError& error) {
    PyErr_SetString(user_error_type, error.what());
  } catch (const Error& error) {
    PyErr_SetString(error_type, error.what());
  } catch (const python_error&) {
    torch::translate_exception_to_python(thrown);
  } catch (const c10::Error&) {
    torch::translate_exception_to_python(thrown);
  }
}

PyObject* new_type(py::module_& module, const char* name, const char* documentation,
                   const py::object& bases) {
  const std::string full_name = std::string("mlaan.") + name;
  PyObject* type =
      PyErr_NewExceptionWithDoc(full_name.c_str(), documentation, bases.ptr(), nullptr);
  if (type == nullptr) throw py::error_already_set();
  module.attr(name) = py::reinterpret_borrow<py::object>(type);
  return type;
}

}  // namespace

void bind_errors(py::module_& module) {
  error_type = new_type(module, "Error", "Something failed that the caller could not have known.",
                        py::reinterpret_borrow<py::object>(PyExc_RuntimeError));
  user_error_type =
      new_type(module, "UserError",
               "The arguments are at fault: the message says what is wrong and what is accepted.",
               py::make_tuple(py::reinterpret_borrow<py::object>(error_type),
                              py::reinterpret_borrow<py::object>(PyExc_ValueError)));
  py::register_local_exception_translator(translate);
}

}  // namespace mlaan::python
