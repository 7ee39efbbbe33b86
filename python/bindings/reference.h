// References to Python objects that C++ may copy and drop without holding the interpreter's lock.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace mlaan::python {

namespace py = pybind11;

/// A shared reference to a Python object. Make it, and use the object, with the interpreter's lock
/// held; copy and drop it anywhere.
class Reference {
 public:
  explicit Reference(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* dropped) {
          // At the interpreter's end there is nobody left to give the object back to.
          if (Py_IsInitialized() == 0) {
            dropped->release();
            delete dropped;
            return;
          }
          const py::gil_scoped_acquire lock;
          delete dropped;
        }) {}

  const py::object& get() const { return *object_; }

 private:
  std::shared_ptr<py::object> object_;
};

}  // namespace mlaan::python
