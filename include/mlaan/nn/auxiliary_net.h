// An auxiliary net: the layers between a module's output and a loss.
#pragma once

#include <mlaan/nn/unit.h>

#include <string>
#include <vector>

namespace mlaan {

/// A chain of units that reads the output of a module. The backbone's own head is one too.
/// Copies share the units.
class AuxiliaryNet {
 public:
  /// \param name what its parameters' names begin with: "aux.3.cascaded", or "" for the head.
  AuxiliaryNet(std::string name, std::vector<Unit> units);

  const std::string& name() const { return name_; }
  const std::vector<Unit>& units() const { return units_; }

  torch::Tensor forward(torch::Tensor input) const;

  /// Names with the net's own in front: "aux.3.cascaded.leap.0.conv1.weight".
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  void train(bool on) const;
  void to(torch::Device device) const;

 private:
  std::string name_;
  std::vector<Unit> units_;
};

}  // namespace mlaan
