// A Python function as a loss.
#include "python_loss.h"

#include "type_name.h"

#include <mlaan/core/error.h>

#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <memory>
#include <string>

namespace mlaan::python {
namespace {

bool takes_images(const py::object& function) {
  try {
    const py::object signature = py::module_::import("inspect").attr("signature")(function);
    const py::object parameters = signature.attr("parameters");
    return parameters.contains("images");
  } catch (const py::error_already_set&) {
    return false;  // a built-in function says nothing of its parameters
  }
}

torch::Tensor call(const py::object& function, const std::string& name, bool images,
                   const torch::Tensor& output, const Targets& targets) {
  const py::object result =
      images ? function(output, targets.labels, py::arg("images") = targets.images)
             : function(output, targets.labels);
  if (!THPVariable_Check(result.ptr())) {
    throw UserError("loss '" + name + "' gave a " + type_name(result) +
                    "; a loss must give a tensor of one number");
  }
  torch::Tensor loss = THPVariable_Unpack(result.ptr());
  if (loss.dim() != 0) {
    throw UserError("loss '" + name + "' gave a tensor of shape " +
                    std::string(py::str(py::tuple(result.attr("shape")))) +
                    "; a loss must give one number for the whole batch, such as the mean");
  }
  if (!loss.requires_grad()) {
    throw UserError("loss '" + name +
                    "' gave a number without a gradient: it must be computed from the output by "
                    "operators that autograd knows, without detach() or no_grad()");
  }
  return loss;
}

}  // namespace

LossPtr make_loss(const py::object& loss, const Backbone& backbone) {
  if (py::isinstance<py::str>(loss)) {
    return parse_loss(loss.cast<std::string>(), backbone.classes(), backbone.normalisation());
  }
  if (PyCallable_Check(loss.ptr()) == 0) {
    throw UserError(
        "a loss must be a name, such as \"cross_entropy\", or a function of the output "
        "and the labels; this is a " +
        type_name(loss));
  }
  const py::object name = py::getattr(loss, "__name__", py::str(type_name(loss)));
  Loss made;
  made.name = py::str(name);
  made.function = [function = Reference(loss), name = made.name, images = takes_images(loss)](
                      const torch::Tensor& output, const Targets& targets) {
    const py::gil_scoped_acquire lock;
    return call(function.get(), name, images, output, targets);
  };
  return std::make_shared<const Loss>(std::move(made));
}

}  // namespace mlaan::python
