// References to Python objects that may be copied and destroyed without holding the GIL.
#pragma once

#include <pybind11/pybind11.h>

#include <memory>
#include <utility>

namespace mlaan::python {

namespace py = pybind11;

/// A shared reference to a Python object. Construct it and use the object with the GIL held; copy
/// and destroy it anywhere.
class Reference {
 public:
  explicit Reference(py::object object)
      : object_(new py::object(std::move(object)), [](py::object* dropped) {
          // After the interpreter has ended, its objects can no longer be released.
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
