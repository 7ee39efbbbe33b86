// Binds layers that save less for the backward pass, to be used on Python modules.
#include "bindings.h"
#include "python_layer.h"

#include <mlaan/nn/layers/batch_norm_layers.h>

#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

#include <optional>

namespace mlaan::python {
namespace {

namespace py = pybind11;

/// A C++ BatchNorm2d that shares the tensors of a Python one.
torch::nn::BatchNorm2d around(const py::object& normalisation) {
  const auto tensor = [&normalisation](const char* name) {
    const py::object value = normalisation.attr(name);
    return value.is_none() ? torch::Tensor() : value.cast<torch::Tensor>();
  };
  torch::nn::BatchNorm2dOptions options(normalisation.attr("num_features").cast<std::int64_t>());
  options.eps(normalisation.attr("eps").cast<double>()).affine(false).track_running_stats(false);
  torch::nn::BatchNorm2d made(options);
  const py::object momentum = normalisation.attr("momentum");
  if (momentum.is_none()) {
    made->options.momentum({});
  } else {
    made->options.momentum(momentum.cast<double>());
  }
  made->options.affine(true).track_running_stats(
      normalisation.attr("track_running_stats").cast<bool>());
  made->weight = tensor("weight");
  made->bias = tensor("bias");
  made->running_mean = tensor("running_mean");
  made->running_var = tensor("running_var");
  made->num_batches_tracked = tensor("num_batches_tracked");
  made->train(normalisation.attr("training").cast<bool>());
  return made;
}

torch::nn::Conv2d around_convolution(const py::object& convolution) {
  const auto pair = [&convolution](const char* name) {
    return convolution.attr(name).cast<std::array<std::int64_t, 2>>();
  };
  const auto weight = convolution.attr("weight").cast<torch::Tensor>();
  // Constructed tiny, since its weight is replaced by Python's.
  torch::nn::Conv2d made(torch::nn::Conv2dOptions(1, 1, 1).bias(false));
  made->weight = weight;
  const auto stride = pair("stride");
  const auto padding = pair("padding");
  const auto dilation = pair("dilation");
  made->options.stride({stride[0], stride[1]})
      .padding(torch::ExpandingArray<2>({padding[0], padding[1]}))
      .dilation({dilation[0], dilation[1]})
      .groups(convolution.attr("groups").cast<std::int64_t>())
      .kernel_size({weight.size(2), weight.size(3)});
  return made;
}

torch::Tensor norm_relu_of(const py::object& normalisation, const torch::Tensor& input) {
  auto made = around(normalisation);
  const py::gil_scoped_release unlock;
  return norm_relu(made, input);
}

torch::Tensor norm_of(const py::object& normalisation, const torch::Tensor& input) {
  auto made = around(normalisation);
  const py::gil_scoped_release unlock;
  return norm(made, input);
}

torch::Tensor norm_add_relu_of(const py::object& normalisation, const torch::Tensor& input,
                               const torch::Tensor& shortcut) {
  auto made = around(normalisation);
  const py::gil_scoped_release unlock;
  return norm_add_relu(made, input, shortcut);
}

torch::Tensor norm_relu_conv_of(const py::object& normalisation, const py::object& convolution,
                                const torch::Tensor& input) {
  auto made = around(normalisation);
  auto behind = around_convolution(convolution);
  const py::gil_scoped_release unlock;
  return norm_relu_conv(made, behind, input, recomputes_in_unit());
}

}  // namespace

void bind_layers(py::module_& module) {
  module.def("norm", &norm_of);
  module.def("norm_relu", &norm_relu_of);
  module.def("norm_add_relu", &norm_add_relu_of);
  module.def("norm_relu_conv", &norm_relu_conv_of);
}

}  // namespace mlaan::python
