// Cuts a chain of layers into a backbone.
#pragma once

#include <mlaan/nn/backbone.h>

#include <string>
#include <vector>

namespace mlaan {

/// A layer of a chain, and its role in the cut.
struct ChainLayer {
  enum class Role : std::uint8_t {
    begins_unit,      ///< has parameters
    joins,            ///< belongs to the layer before: an activation, a normalisation
    leads_into_head,  ///< joins, but belongs to the head if it is directly before the last layer
  };

  Unit::Layer layer;
  Role role = Role::joins;
};

/// See Backbone::from().
/// \param shape of one sample.
/// \throws UserError for a chain of fewer than two layers that begin a unit.
Backbone cut_chain(std::vector<ChainLayer> chain, const Shape& shape, const std::string& name);

}  // namespace mlaan
