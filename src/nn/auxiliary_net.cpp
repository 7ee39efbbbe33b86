// An auxiliary net: the layers between a module's output and a loss.
#include <mlaan/nn/auxiliary_net.h>

namespace mlaan {
namespace {

void append(std::vector<NamedTensor>& all, const std::string& net, std::vector<NamedTensor> more) {
  for (auto& named : more) {
    all.push_back({net.empty() ? named.name : net + "." + named.name, std::move(named.tensor)});
  }
}

}  // namespace

AuxiliaryNet::AuxiliaryNet(std::string name, std::vector<Unit> units,
                           std::shared_ptr<const AuxiliaryNet> trunk,
                           std::vector<std::string> layer_texts)
    : name_(std::move(name)),
      units_(std::move(units)),
      trunk_(std::move(trunk)),
      layer_texts_(std::move(layer_texts)) {
  if (units_.empty()) throw UserError("auxiliary net '" + name_ + "' has no layer");
  if (trunk_ && trunk_->trunk()) {
    throw UserError("auxiliary net '" + name_ + "' reads '" + trunk_->name() +
                    "', which itself reads '" + trunk_->trunk()->name() +
                    "'; a net that others read must read a module");
  }
}

torch::Tensor AuxiliaryNet::forward(torch::Tensor input) const {
  for (const auto& unit : units_) input = unit.forward(std::move(input));
  return input;
}

std::vector<NamedTensor> AuxiliaryNet::named_parameters() const {
  std::vector<NamedTensor> all;
  for (const auto& unit : units_) append(all, name_, unit.named_parameters());
  return all;
}

std::vector<NamedTensor> AuxiliaryNet::named_buffers() const {
  std::vector<NamedTensor> all;
  for (const auto& unit : units_) append(all, name_, unit.named_buffers());
  return all;
}

void AuxiliaryNet::train(bool on) const {
  for (const auto& unit : units_) unit.train(on);
}

void AuxiliaryNet::to(torch::Device device) const {
  for (const auto& unit : units_) unit.to(device);
}

}  // namespace mlaan
