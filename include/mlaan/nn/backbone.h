// A backbone: a chain of units and a head, with the input and output shape of each unit.
#pragma once

#include <mlaan/core/shape.h>
#include <mlaan/nn/auxiliary_net.h>
#include <mlaan/nn/normalisation.h>
#include <mlaan/nn/token_layout.h>
#include <mlaan/nn/unit.h>

#include <torch/nn/modules/container/sequential.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// The network to train: units u_0 … u_{N−1} in order, then a head that computes the logits. Copies
/// share the units.
class Backbone {
 public:
  /// Runs one sample of zeros through the chain, in evaluation mode, to find every shape.
  /// \param name of the backbone in checkpoints and logs: "resnet32".
  /// \param input_shape of one sample, for example {3, 32, 32}.
  /// \throws UserError naming the unit that cannot read the output of the unit before it.
  Backbone(std::string name, std::vector<Unit> units, std::vector<Unit> head, Shape input_shape);

  /// Cuts your own chain of layers into units. Each layer that has parameters begins a unit; layers
  /// without parameters (activations, pooling, dropout) and normalisations join the unit before
  /// them. The last layer with parameters and all layers after it become the head, together with a
  /// Flatten or an adaptive pooling right before it. A layer that is itself a network, such as a
  /// residual block, is one unit; derive it from `torch::nn::Cloneable`. Parameters keep the names
  /// that they have in the chain.
  /// \param example a batch of the network's inputs, of which only the sizes are used.
  /// \throws UserError for a chain of fewer than two layers with parameters.
  static Backbone from(const torch::nn::Sequential& chain, const torch::Tensor& example,
                       const std::string& name = "chain");

  const std::string& name() const { return name_; }
  std::size_t size() const { return units_.size(); }
  const std::vector<Unit>& units() const { return units_; }
  /// The head; supervisions of the last module share this one object.
  const std::shared_ptr<AuxiliaryNet>& head() const { return head_; }

  /// Shape of the input of unit `unit`, without the batch.
  const Shape& input_shape(std::size_t unit) const { return shapes_.at(unit); }
  /// Shape of the output of unit `unit`, without the batch.
  const Shape& output_shape(std::size_t unit) const { return shapes_.at(unit + 1); }
  /// Whether unit `unit` modifies its input tensor in place.
  bool overwrites_input(std::size_t unit) const { return overwrites_input_.at(unit); }
  /// Number of logits.
  std::int64_t classes() const { return classes_; }

  /// Number of modules in a partition of one block per module, where a stem belongs to the first
  /// block's module. The default is the number of units.
  std::size_t block_count() const { return block_count_; }
  void set_block_count(std::size_t count) { block_count_ = count; }

  /// How the images that the backbone reads are normalised; empty if unknown.
  const Normalisation& normalisation() const { return normalisation_; }
  void set_normalisation(Normalisation normalisation) { normalisation_ = std::move(normalisation); }

  /// Where the tokens of the units' outputs, {tokens, width}, lie on the image; nullopt if unknown,
  /// or if the outputs are not tokens.
  const std::optional<TokenLayout>& token_layout() const { return token_layout_; }
  void set_token_layout(TokenLayout layout) { token_layout_ = layout; }

  /// Index of the unit of this name.
  /// \throws UserError for an unknown name, naming the nearest known one.
  std::size_t unit_index(const std::string& name) const;

  /// Names as in torchvision: "conv1.weight", "layer1.0.conv1.weight", "fc.bias".
  std::vector<NamedTensor> named_parameters() const;
  std::vector<NamedTensor> named_buffers() const;
  void train(bool on) const;
  void to(torch::Device device) const;
  /// Changes the dtype of parameters and floating-point buffers.
  void to(torch::Dtype dtype) const;

  /// Runs units and head in their current mode, training or evaluation.
  /// \return logits, batch × classes.
  torch::Tensor forward(torch::Tensor images) const;

 private:
  void probe(const Shape& input_shape);

  std::string name_;
  std::vector<Unit> units_;
  std::shared_ptr<AuxiliaryNet> head_;
  std::vector<Shape> shapes_;
  std::vector<bool> overwrites_input_;
  std::int64_t classes_ = 0;
  std::size_t block_count_ = 0;
  Normalisation normalisation_;
  std::optional<TokenLayout> token_layout_;
};

}  // namespace mlaan
