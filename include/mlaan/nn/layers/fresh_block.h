// Fresh blocks: layers of the form of a backbone's unit, with weights and sizes of their own.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/unit.h>

#include <torch/nn/modules/container/any.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// A layer that can be made anew for other sizes. Derive a `torch::nn` module from it as well.
class FreshBlock {
 public:
  virtual ~FreshBlock() = default;
  /// A layer of this form and of as many output channels, freshly initialised.
  virtual torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const = 0;

 protected:
  FreshBlock() = default;
  FreshBlock(const FreshBlock&) = default;
  FreshBlock& operator=(const FreshBlock&) = default;
};

/// Factor by which a unit makes maps smaller; 1 for features.
std::int64_t stride_of(const Backbone& backbone, std::size_t unit);

/// A unit of the form of unit `form`, freshly initialised, whose parameters' names begin with
/// `name`. Its last layer has to be a FreshBlock, which stands for the whole unit, unless the sizes
/// are those of the original; then it may be any that is made of LibTorch's convolutions, linear
/// layers and normalisations.
/// \throws UserError for another one.
Unit fresh_unit(const Backbone& backbone, std::size_t form, const std::string& name,
                std::int64_t in_channels, std::int64_t stride);

}  // namespace mlaan
