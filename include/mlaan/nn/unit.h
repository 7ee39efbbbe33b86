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
/// and gives one tensor. Copies of a Unit share the layers; clone() makes new ones.
class Unit {
 public:
  /// A layer, and what its parameters' names begin with ("" for none).
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

  /// A unit that gives the sum of what others give for its input. Their parameters' names come
  /// behind the unit's: "leap.0.copy.conv1.weight".
  static Unit sum(const std::string& name, std::vector<Unit> summands);

  const std::string& name() const { return name_; }
  /// What people read of it: the name, or what it was copied from.
  const std::string& description() const { return description_; }
  void set_description(std::string description) { description_ = std::move(description); }
  /// Those of all summands, for a sum.
  const std::vector<Layer>& layers() const { return layers_; }
  /// The units whose outputs a sum adds; empty for any other unit.
  const std::vector<Unit>& summands() const { return summands_; }

  torch::Tensor forward(torch::Tensor input) const;
  /// forward() once more, for a backward pass. Where it is one layer that ReusesOutput, that
  /// takes the output from there. \param output what forward() gave for this input, or undefined.
  torch::Tensor recompute_forward(torch::Tensor input, const torch::Tensor& output) const;
  /// For a sum: what `run` gives for each summand and its alias of the input, added. The last runs
  /// first: the backward pass then begins with the first, which a copy's twin, with fewer
  /// activations to keep, can outlast.
  torch::Tensor sum_of_summands(
      const torch::Tensor& input,
      const std::function<torch::Tensor(const Unit& summand, const torch::Tensor& input)>& run)
      const;

  /// "layer1.0.conv1.weight", …; those without gradient (frozen) included.
  std::vector<NamedTensor> named_parameters() const;
  /// Running statistics and the like.
  std::vector<NamedTensor> named_buffers() const;

  /// Puts every layer into training or evaluation mode.
  void train(bool on) const;
  /// Lets every layer that is a RecomputesActivations do so, or not.
  void set_recomputes(bool on) const;
  void to(torch::Device device) const;
  /// Changes the type of parameters and of floating-point buffers.
  void to(torch::Dtype dtype) const;

  /// A deep copy under another name: parameters, buffers and all, sharing nothing. Its description
  /// is the original's.
  /// \throws UserError where a layer is not a `torch::nn::Cloneable`.
  Unit clone(const std::string& name) const;

 private:
  std::string name_;
  std::string description_;
  // torch::nn::AnyModule::forward is not const, though it changes nothing of the module's identity.
  mutable std::vector<Layer> layers_;
  std::vector<Unit> summands_;
};

}  // namespace mlaan
