// A unit: the smallest piece of a network that is never cut.
#pragma once

#include <mlaan/core/error.h>
#include <mlaan/core/named_tensor.h>

#include <torch/nn/modules/container/any.h>
#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace mlaan {

/// One or several layers run in order, each any `torch::nn` module whose `forward` takes one tensor
/// and returns one tensor. Copies of a Unit share the layers; clone() makes new ones.
class Unit {
 public:
  /// A layer, and the prefix of its parameters' names ("" for none).
  struct Layer {
    std::string prefix;
    torch::nn::AnyModule module;
  };

  Unit(std::string name, std::vector<Layer> layers);

  /// One layer, whose parameters' names begin with the unit's name.
  /// \param module a module holder (`torch::nn::Linear`) or a shared pointer to a module.
  template <class Module>
  Unit(const std::string& name, Module module)
      : Unit(name, std::vector<Layer>{{name, torch::nn::AnyModule(std::move(module))}}) {}

  /// A unit that adds the outputs of other units for the same input. Its name becomes the prefix of
  /// their parameters' names: "leap.0.copy.conv1.weight".
  static Unit sum(const std::string& name, std::vector<Unit> summands);

  const std::string& name() const { return name_; }
  /// Text for users: by default the name.
  const std::string& description() const { return description_; }
  void set_description(std::string description) { description_ = std::move(description); }
  /// The layers; for a sum, those of all summands.
  const std::vector<Layer>& layers() const { return layers_; }
  /// The units whose outputs a sum adds; empty for any other unit.
  const std::vector<Unit>& summands() const { return summands_; }

  torch::Tensor forward(torch::Tensor input) const;
  /// Runs forward() again, for a backward pass. A unit of one layer that is a ReusesOutput reuses
  /// `output`.
  /// \param output the first run's output for this input; undefined if it is gone.
  torch::Tensor recompute_forward(torch::Tensor input, const torch::Tensor& output) const;
  /// For a sum: adds the results of `run` for each summand with an alias of the input. The last
  /// summand runs first, so that the backward pass begins with the first one: of a trained copy and
  /// its twin, the copy, which saves more activations, is then freed first.
  torch::Tensor sum_of_summands(
      const torch::Tensor& input,
      const std::function<torch::Tensor(const Unit& summand, const torch::Tensor& input)>& run)
      const;

  /// "layer1.0.conv1.weight", …; frozen parameters included.
  std::vector<NamedTensor> named_parameters() const;
  /// Running statistics and the like.
  std::vector<NamedTensor> named_buffers() const;

  /// Puts every layer into training or evaluation mode.
  void train(bool on) const;
  /// Switches recomputation on or off in every layer that is a RecomputesActivations.
  void set_recomputes(bool on) const;
  void to(torch::Device device) const;
  /// Changes the dtype of parameters and of floating-point buffers.
  void to(torch::Dtype dtype) const;

  /// A deep copy under another name, which shares no parameters or buffers. Its description is the
  /// original's.
  /// \throws UserError if a layer is not a `torch::nn::Cloneable`.
  Unit clone(const std::string& name) const;

 private:
  std::string name_;
  std::string description_;
  // Mutable since torch::nn::AnyModule::forward is not const.
  mutable std::vector<Layer> layers_;
  std::vector<Unit> summands_;
};

}  // namespace mlaan
