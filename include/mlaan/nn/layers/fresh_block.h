// Fresh blocks: newly initialised layers of a backbone unit's form, possibly of other sizes.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/unit.h>

#include <torch/nn/modules/container/any.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// Base class of layers that can make a new layer of their form for other sizes. Derive from it in
/// addition to a `torch::nn` module.
class FreshBlock {
 public:
  virtual ~FreshBlock() = default;
  /// A newly initialised layer of this form, with as many output channels.
  virtual torch::nn::AnyModule make_fresh(std::int64_t in_channels, std::int64_t stride) const = 0;

 protected:
  FreshBlock() = default;
  FreshBlock(const FreshBlock&) = default;
  FreshBlock& operator=(const FreshBlock&) = default;
};

/// Factor by which a unit reduces the height of maps; 1 for tokens and features.
std::int64_t stride_of(const Backbone& backbone, std::size_t unit);

/// A newly initialised unit of the form of unit `form`, whose parameters' names begin with `name`.
/// If the last layer of unit `form` is a FreshBlock, the result consists of that layer's fresh
/// block alone. Otherwise `in_channels` and `stride` must be those of unit `form`, and its layers
/// must be made of LibTorch's convolutions, linear layers and normalisations.
/// \throws UserError for any other unit.
Unit fresh_unit(const Backbone& backbone, std::size_t form, const std::string& name,
                std::int64_t in_channels, std::int64_t stride);

}  // namespace mlaan
