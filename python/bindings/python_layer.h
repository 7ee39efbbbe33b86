// A layer that calls a Python module.
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
#include <vector>

namespace mlaan::python {

/// The parameters and buffers of a Python module under its names; the tensors are shared with
/// Python. PythonLayer narrows the whole module at once, so submodules have nothing to narrow.
class PythonTensors : public torch::nn::Module, public Narrowable {
 public:
  void narrow_own_parameters(std::int64_t /*factor*/) override {}

  /// \param name with a dot after the name of each enclosing module.
  void adopt(const std::string& name, const torch::Tensor& tensor, bool is_parameter);
};

/// Whether the unit that runs on this thread recomputes activations (see RecomputesActivations).
/// The functions of mlaan.nn depend on it.
bool recomputes_in_unit();

/// Calls a Python `mlaan.Unit` with the GIL held.
class PythonLayer : public PythonTensors, public FreshBlock, public RecomputesActivations {
 public:
  explicit PythonLayer(py::object unit);

  torch::Tensor forward(const torch::Tensor& input);
  void train(bool on) override;
  /// Calls Unit.copied(), which is copy.deepcopy().
  std::shared_ptr<torch::nn::Module> clone(
      const compat::OptionalDevice& device = {}) const override;
  void narrow_own_parameters(std::int64_t factor) override;
  torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const override;

  const py::object& unit() const { return unit_.get(); }

 private:
  void keep_buffers() const;
  void restore_buffers() const;

  Reference unit_;
  /// Buffers that a forward pass in training mode changes and may read, such as the vectors of a
  /// spectral normalisation. A recomputation needs the values from before the forward pass.
  std::vector<torch::Tensor> changing_buffers_;
};

/// The C++ unit for a Python `mlaan.Unit`.
Unit make_unit(const py::object& unit);

}  // namespace mlaan::python
