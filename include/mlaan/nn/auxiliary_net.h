// An auxiliary net: the layers between a module's output and a loss.
#pragma once

#include <mlaan/nn/unit.h>

#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// A chain of units that reads the output of a module, or of a trunk: a net that several nets read,
/// so that what they have in common runs once. The backbone's own head is a net too. Copies share
/// the units.
class AuxiliaryNet {
 public:
  /// \param name what its parameters' names begin with: "aux.3.cascaded", or "" for the head.
  /// \param trunk what it reads instead of the module's output; null for none.
  /// \param layer_texts what the units were made from, one text each; none for a net made by hand,
  ///        which no plan file can then hold.
  AuxiliaryNet(std::string name, std::vector<Unit> units,
               std::shared_ptr<const AuxiliaryNet> trunk = nullptr,
               std::vector<std::string> layer_texts = {});

  const std::string& name() const { return name_; }
  /// Without those of the trunk.
  const std::vector<Unit>& units() const { return units_; }
  const std::shared_ptr<const AuxiliaryNet>& trunk() const { return trunk_; }
  /// What the units were made from (nn/layer_text.h); empty for a net made by hand.
  const std::vector<std::string>& layer_texts() const { return layer_texts_; }

  /// Runs the units. \param input the module's output, or that of the trunk where there is one.
  torch::Tensor forward(torch::Tensor input) const;

  /// Those of the units, with the net's name in front: "aux.3.cascaded.leap.0.conv1.weight".
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  void train(bool on) const;
  void to(torch::Device device) const;

 private:
  std::string name_;
  std::vector<Unit> units_;
  std::shared_ptr<const AuxiliaryNet> trunk_;
  std::vector<std::string> layer_texts_;
};

}  // namespace mlaan
