// Narrower copies of layers: fewer channels, each standing for a group of the original's.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/unit.h>

#include <cstdint>

namespace mlaan {

/// Weights of a layer between groups of channels, each group taken as one channel that is its mean:
/// the mean over the groups of dimension 0 (outputs), the sum over those of dimension 1 (inputs).
/// Independent weights keep their variance so, and a layer that fits its narrower input keeps its
/// scale. Equal shapes give the source itself.
/// \param shape of the result; each side divides the source's.
torch::Tensor grouped(const torch::Tensor& weights, torch::IntArrayRef shape);

/// A layer with parameters that are not in layers within it, and that can be made narrower. Derive
/// a `torch::nn` module from it as well.
class Narrowable {
 public:
  virtual ~Narrowable() = default;
  /// Divides the channels of those parameters; the layers within have been seen to.
  virtual void narrow_own_parameters(std::int64_t factor) = 0;

 protected:
  Narrowable() = default;
  Narrowable(const Narrowable&) = default;
  Narrowable& operator=(const Narrowable&) = default;
};

/// Divides the channels of every layer of a unit by `factor`, its weights grouped. The unit's
/// layers are changed: hand in a clone.
/// \throws UserError for layers other than two-dimensional convolutions, linear layers,
///         self-attention, batch and layer normalisations and Narrowables, and for channels that
///         the factor does not divide.
void narrow(const Unit& unit, std::int64_t factor);

/// A layer that averages channels of maps (C×h×w), features (C) or tokens (tokens×C) over groups of
/// `factor`.
/// \throws UserError for channels that the factor does not divide.
Unit channel_grouping_unit(const Shape& features, std::int64_t factor);

}  // namespace mlaan
