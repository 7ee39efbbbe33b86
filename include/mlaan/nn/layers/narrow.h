// Narrower copies of layers: fewer channels, each standing for a group of the original's.
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/unit.h>

#include <cstdint>

namespace mlaan {

/// Reduces a layer's weights to fewer channels, each of which is the mean of a group of the
/// original's: the mean over groups in dimension 0 (outputs), the sum over groups in dimension 1
/// (inputs). Independent weights thereby keep their variance, and the layer's output keeps its
/// scale if the input is narrowed alike. Returns `weights` itself if the shapes are equal.
/// \param shape of the result; each of its sizes must divide that of `weights`.
torch::Tensor grouped(const torch::Tensor& weights, torch::IntArrayRef shape);

/// Base class of layers that have parameters of their own, outside their sublayers, and can be made
/// narrower. Derive from it in addition to a `torch::nn` module.
class Narrowable {
 public:
  virtual ~Narrowable() = default;
  /// Divides the channels of these parameters; narrow() narrows the sublayers by itself.
  virtual void narrow_own_parameters(std::int64_t factor) = 0;

 protected:
  Narrowable() = default;
  Narrowable(const Narrowable&) = default;
  Narrowable& operator=(const Narrowable&) = default;
};

/// Divides the channels of every layer of a unit by `factor`, with grouped() weights. This changes
/// the unit's layers: pass a clone.
/// \throws UserError for layers other than two-dimensional convolutions, linear layers,
///         self-attention, batch and layer normalisations and Narrowables, and numbers of
///         channels that the factor does not divide.
void narrow(const Unit& unit, std::int64_t factor);

/// A layer that averages channels of maps (C×h×w), features (C) or tokens (tokens×C) over groups of
/// `factor`.
/// \throws UserError for a number of channels that the factor does not divide.
Unit channel_grouping_unit(const Shape& features, std::int64_t factor);

}  // namespace mlaan
