// A loss that calls a Python function.
#include "python_loss.h"

#include "type_name.h"

#include <mlaan/core/error.h>

#include <ATen/Functions.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace mlaan::python {
namespace {

bool takes_images(const py::object& function) {
  try {
    const py::object signature = py::module_::import("inspect").attr("signature")(function);
    const py::object parameters = signature.attr("parameters");
    return parameters.contains("images");
  } catch (const py::error_already_set&) {
    return false;  // built-in functions have no signature to inspect
  }
}

/// Calls a Python function as a loss.
class PythonLoss {
 public:
  PythonLoss(const py::object& function, std::string name)
      : function_(function), name_(std::move(name)), takes_images_(takes_images(function)) {}

  torch::Tensor operator()(const torch::Tensor& output, const Targets& targets) const {
    const torch::Tensor loss = call(output, targets);
    check_reads(loss, output);
    return loss;
  }

 private:
  [[noreturn]] void refuse(const std::string& why) const {
    throw UserError("loss '" + name_ + "' " + why);
  }

  torch::Tensor call(const torch::Tensor& output, const Targets& targets) const {
    const py::gil_scoped_acquire lock;
    const auto versions = [&] {
      const auto version = [](const torch::Tensor& tensor) {
        return tensor.defined() ? tensor._version() : 0;
      };
      return std::array{version(output), version(targets.labels), version(targets.images)};
    };
    const auto before = versions();
    const py::object result =
        takes_images_ ? function_.get()(output, targets.labels, py::arg("images") = targets.images)
                      : function_.get()(output, targets.labels);
    if (versions() != before) {
      refuse("changed the output, the labels or the images in place; change a copy instead");
    }
    return checked(result, output);
  }

  torch::Tensor checked(const py::object& result, const torch::Tensor& output) const {
    if (!THPVariable_Check(result.ptr())) {
      refuse("gave a " + type_name(result) + "; a loss must give a tensor of one number");
    }
    const torch::Tensor& loss = THPVariable_Unpack(result.ptr());
    if (loss.dim() != 0) {
      refuse("gave a tensor of shape " + std::string(py::str(py::tuple(result.attr("shape")))) +
             "; a loss must give one number for the whole batch, such as the mean");
    }
    if (loss.is_complex() || loss.device() != output.device()) {
      refuse("gave a number of the type " + std::string(c10::toString(loss.scalar_type())) +
             " on " + loss.device().str() + "; a loss must give a real one on " +
             output.device().str());
    }
    if (!loss.requires_grad() || loss.is_leaf()) {
      refuse(
          "gave a number without a gradient: it must be computed from the output by operators "
          "that autograd knows, without detach() or no_grad()");
    }
    if (loss.is_cpu() && !at::isfinite(loss.detach()).item<bool>()) {
      throw Error("loss '" + name_ + "' gave " + std::string(py::str(result.attr("item")())) +
                  ", from which training cannot recover; nothing was updated by it");
    }
    return loss;
  }

  /// Checks once, since it costs a backward pass of the loss, that a gradient reaches the output.
  void check_reads(const torch::Tensor& loss, const torch::Tensor& output) const {
    if (*is_known_to_read_ || !output.requires_grad()) return;
    const auto gradients = torch::autograd::grad({loss}, {output}, {}, /*retain_graph=*/true,
                                                 /*create_graph=*/false, /*allow_unused=*/true);
    if (!gradients[0].defined()) {
      refuse("does not depend on the output that it is given, so it would train nothing");
    }
    *is_known_to_read_ = true;
  }

  Reference function_;
  std::string name_;
  bool takes_images_;
  std::shared_ptr<bool> is_known_to_read_ = std::make_shared<bool>(false);
};

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
  made.function = PythonLoss(loss, made.name);
  made.takes_any_labels = true;
  return std::make_shared<const Loss>(std::move(made));
}

}  // namespace mlaan::python
