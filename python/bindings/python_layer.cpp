// A layer that calls a Python module.
#include "python_layer.h"

#include "type_name.h"

#include <mlaan/core/error.h>
#include <mlaan/nn/kept_statistics.h>

#include <torch/csrc/autograd/python_variable.h>
#include <torch/csrc/utils/pybind.h>

#include <pybind11/stl.h>

#include <utility>
#include <vector>

namespace mlaan::python {
namespace {

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

NamedTensors named_tensors(const py::object& unit, const char* which) {
  return unit.attr(which)().cast<NamedTensors>();
}

thread_local bool recomputes_on_thread = false;

class RecomputeScope {
 public:
  explicit RecomputeScope(bool on) : before_(recomputes_on_thread) { recomputes_on_thread = on; }
  ~RecomputeScope() { recomputes_on_thread = before_; }
  RecomputeScope(const RecomputeScope&) = delete;
  RecomputeScope& operator=(const RecomputeScope&) = delete;

 private:
  bool before_;
};

}  // namespace

bool recomputes_in_unit() {
  return recomputes_on_thread;
}

void PythonTensors::adopt(const std::string& name, const torch::Tensor& tensor, bool is_parameter) {
  const auto dot = name.find('.');
  if (dot == std::string::npos) {
    if (is_parameter) {
      register_parameter(name, tensor, tensor.requires_grad());
    } else {
      register_buffer(name, tensor);
    }
    return;
  }
  const std::string front = name.substr(0, dot);
  for (const auto& child : named_children()) {
    if (child.key() != front) continue;
    static_cast<PythonTensors&>(*child.value()).adopt(name.substr(dot + 1), tensor, is_parameter);
    return;
  }
  auto child = register_module(front, std::make_shared<PythonTensors>());
  child->adopt(name.substr(dot + 1), tensor, is_parameter);
}

PythonLayer::PythonLayer(py::object unit) : unit_(std::move(unit)) {
  for (const auto& [name, tensor] : named_tensors(this->unit(), "unit_parameters")) {
    adopt(name, tensor, /*is_parameter=*/true);
  }
  for (const auto& [name, tensor] : named_tensors(this->unit(), "unit_buffers")) {
    adopt(name, tensor, /*is_parameter=*/false);
  }
  changing_buffers_ = this->unit().attr("changing_buffers").cast<std::vector<torch::Tensor>>();
}

void PythonLayer::keep_buffers() const {
  for (const auto& buffer : changing_buffers_) {
    KeptStatisticsScope::keep({buffer.unsafeGetTensorImpl(), buffer.detach().clone(), {}});
  }
}

void PythonLayer::restore_buffers() const {
  for (const auto& buffer : changing_buffers_) {
    if (const auto kept = KeptStatisticsScope::take(buffer.unsafeGetTensorImpl())) {
      buffer.variable_data().copy_(kept->mean);
    }
  }
}

torch::Tensor PythonLayer::forward(const torch::Tensor& input) {
  const py::gil_scoped_acquire lock;
  const RecomputeScope scope(recomputes());
  if (is_training()) {
    keep_buffers();
    restore_buffers();
  }
  const py::object result = unit()(input);
  if (!THPVariable_Check(result.ptr())) {
    throw UserError("unit '" + unit().attr("name").cast<std::string>() + "' gave a " +
                    type_name(result) + "; a unit must give one tensor");
  }
  return THPVariable_Unpack(result.ptr());
}

void PythonLayer::train(bool on) {
  const py::gil_scoped_acquire lock;
  Module::train(on);
  unit().attr("train")(on);
}

std::shared_ptr<torch::nn::Module> PythonLayer::clone(const compat::OptionalDevice& device) const {
  const py::gil_scoped_acquire lock;
  auto copy = std::make_shared<PythonLayer>(unit().attr("copied")());
  if (device) copy->to(*device);
  return copy;
}

void PythonLayer::narrow_own_parameters(std::int64_t factor) {
  const py::gil_scoped_acquire lock;
  unit().attr("narrow")(factor);
}

torch::nn::AnyModule PythonLayer::make_fresh(std::int64_t in_channels, std::int64_t stride) const {
  const py::gil_scoped_acquire lock;
  return torch::nn::AnyModule(
      std::make_shared<PythonLayer>(unit().attr("fresh")(in_channels, stride)));
}

Unit make_unit(const py::object& unit) {
  const auto name = unit.attr("name").cast<std::string>();
  const auto prefix = unit.attr("prefix").cast<std::string>();
  return Unit(name, std::vector<Unit::Layer>{
                        {prefix, torch::nn::AnyModule(std::make_shared<PythonLayer>(unit))}});
}

}  // namespace mlaan::python
