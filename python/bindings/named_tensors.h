// Converts named tensors to and from Python lists and dicts.
#pragma once

#include <mlaan/nn/unit.h>

#include <pybind11/pybind11.h>

#include <vector>

namespace mlaan::python {

/// A list of tuples (name, tensor).
pybind11::list to_python(const std::vector<NamedTensor>& tensors);
/// Reads a dict from names to tensors.
std::vector<NamedTensor> from_python(const pybind11::dict& tensors);

}  // namespace mlaan::python
