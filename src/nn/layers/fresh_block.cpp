// Fresh blocks: the architecture of a backbone's unit, with new weights and other sizes.
#include <mlaan/nn/layers/fresh_block.h>

#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>
#include <torch/nn/modules/normalization.h>

namespace mlaan {
namespace {

/// Draws new weights for one of LibTorch's layers; false if its type is unknown.
bool draw_weights(torch::nn::Module& layer) {
  using namespace torch::nn;
  if (layer.parameters(/*recurse=*/false).empty()) return true;
  const auto reset = [](auto* known) {
    if (known == nullptr) return false;
    known->reset_parameters();
    return true;
  };
  return reset(layer.as<Conv1d>()) || reset(layer.as<Conv2d>()) || reset(layer.as<Linear>()) ||
         reset(layer.as<BatchNorm1d>()) || reset(layer.as<BatchNorm2d>()) ||
         reset(layer.as<LayerNorm>()) || reset(layer.as<GroupNorm>());
}

/// A copy with new weights.
Unit redrawn(const Unit& original, const std::string& name) {
  Unit copy = original.clone(name);
  for (const auto& layer : copy.layers()) {
    for (const auto& module : layer.module.ptr()->modules()) {
      if (draw_weights(*module)) continue;
      throw UserError("unit '" + original.name() + "' has a layer of type " + module->name() +
                      ", which cannot be freshly initialised; make it a mlaan::FreshBlock");
    }
  }
  return copy;
}

}  // namespace

std::int64_t stride_of(const Backbone& backbone, std::size_t unit) {
  const Shape& input = backbone.input_shape(unit);
  const Shape& output = backbone.output_shape(unit);
  if (input.size() != 3 || output.size() != 3) return 1;
  return (input[1] + output[1] - 1) / output[1];
}

Unit fresh_unit(const Backbone& backbone, std::size_t form, const std::string& name,
                std::int64_t in_channels, std::int64_t stride) {
  const Unit& original = backbone.units().at(form);
  const auto* block = dynamic_cast<const FreshBlock*>(original.layers().back().module.ptr().get());
  if (block != nullptr) {
    return {name, std::vector<Unit::Layer>{{name, block->make_fresh(in_channels, stride)}}};
  }
  if (in_channels == backbone.input_shape(form).at(0) && stride == stride_of(backbone, form)) {
    return redrawn(original, name);
  }
  throw UserError("unit '" + original.name() + "' cannot be rebuilt for " +
                  std::to_string(in_channels) + " channels and stride " + std::to_string(stride) +
                  ", only as it is; make its last layer a mlaan::FreshBlock");
}

}  // namespace mlaan
