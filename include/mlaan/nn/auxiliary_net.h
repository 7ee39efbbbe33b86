// An auxiliary net: the layers between a module's output and a loss.
#pragma once

#include <mlaan/nn/unit.h>

#include <memory>
#include <string>
#include <vector>

namespace mlaan {

/// A chain of units that reads the output of a module, or of a trunk: another net that several nets
/// read, so that the layers they have in common run once. The backbone's own head is a net too.
/// Copies share the units.
class AuxiliaryNet {
 public:
  /// \param name prefix of its parameters' names: "aux.3.cascaded", or "" for the head.
  /// \param trunk net whose output it reads instead of the module's; null for none.
  /// \param layer_texts texts that the units were made from, one for each; empty for a net made by
  ///        hand, whose plan no plan file can hold.
  AuxiliaryNet(std::string name, std::vector<Unit> units,
               std::shared_ptr<const AuxiliaryNet> trunk = nullptr,
               std::vector<std::string> layer_texts = {});

  const std::string& name() const { return name_; }
  /// The net's own units, without those of the trunk.
  const std::vector<Unit>& units() const { return units_; }
  const std::shared_ptr<const AuxiliaryNet>& trunk() const { return trunk_; }
  /// The texts that the units were made from (nn/layer_text.h); empty for a net made by hand.
  const std::vector<std::string>& layer_texts() const { return layer_texts_; }

  /// Runs the net's own units.
  /// \param input the trunk's output if the net has a trunk, else the module's output.
  torch::Tensor forward(torch::Tensor input) const;

  /// Tensors of the net's own units, with its name as prefix:
  /// "aux.3.cascaded.leap.0.conv1.weight".
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
