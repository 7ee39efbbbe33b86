// A Python module as a layer of a unit.
#pragma once

#include "core/libtorch_compat.h"
#include "reference.h"

#include <mlaan/nn/layers/fresh_block.h>
#include <mlaan/nn/layers/narrow.h>
#include <mlaan/nn/recomputes_activations.h>
#include <mlaan/nn/unit.h>

#include <torch/nn/module.h>

#include <memory>
#include <string>

namespace mlaan::python {

/// The parameters and buffers of a Python module, under its names. They are the very tensors that
/// Python has. Narrowing is the whole layer's work, so that parts of it have nothing to do.
class PythonTensors : public torch::nn::Module, public Narrowable {
 public:
  void narrow_own_parameters(std::int64_t /*factor*/) override {}

  /// \param name with dots between the modules on the way.
  void adopt(const std::string& name, const torch::Tensor& tensor, bool is_parameter);
};

/// Whether the unit that is being run on this thread recomputes activations (see
/// RecomputesActivations): what functions of mlaan.nn that it calls go by.
bool recomputes_in_unit();

/// Calls a `mlaan.Unit` of Python's, with the interpreter's lock held.
class PythonLayer : public PythonTensors, public FreshBlock, public RecomputesActivations {
 public:
  explicit PythonLayer(py::object unit);

  torch::Tensor forward(const torch::Tensor& input);
  void train(bool on) override;
  /// By Unit.copied(), which is copy.deepcopy().
  std::shared_ptr<torch::nn::Module> clone(
      const compat::OptionalDevice& device = {}) const override;
  void narrow_own_parameters(std::int64_t factor) override;
  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override;

  const py::object& unit() const { return unit_.get(); }

 private:
  Reference unit_;
};

/// The unit of C++ that a `mlaan.Unit` of Python's stands for.
Unit make_unit(const py::object& unit);

}  // namespace mlaan::python
