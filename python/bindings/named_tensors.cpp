// Converts named tensors to and from Python lists and dicts.
#include "named_tensors.h"

#include <torch/csrc/utils/pybind.h>

namespace mlaan::python {

pybind11::list to_python(const std::vector<NamedTensor>& tensors) {
  pybind11::list list;
  for (const auto& named : tensors) list.append(pybind11::make_tuple(named.name, named.tensor));
  return list;
}

std::vector<NamedTensor> from_python(const pybind11::dict& tensors) {
  std::vector<NamedTensor> list;
  for (const auto& [name, tensor] : tensors) {
    list.push_back({name.cast<std::string>(), tensor.cast<torch::Tensor>()});
  }
  return list;
}

}  // namespace mlaan::python
