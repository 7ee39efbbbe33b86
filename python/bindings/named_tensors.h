// Named tensors as Python has them: lists of pairs, and dicts.
#pragma once

#include <mlaan/nn/unit.h>

#include <pybind11/pybind11.h>

#include <vector>

namespace mlaan::python {

/// A list of (name, tensor).
pybind11::list to_python(const std::vector<NamedTensor>& tensors);
/// Of a dict from names to tensors.
std::vector<NamedTensor> from_python(const pybind11::dict& tensors);

}  // namespace mlaan::python
