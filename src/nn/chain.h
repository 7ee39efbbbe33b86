// How a chain of layers is cut into a backbone.
#pragma once

#include <mlaan/nn/backbone.h>

#include <string>
#include <vector>

namespace mlaan {

/// A layer of a chain, and what the cut has to know of it.
struct ChainLayer {
  enum class Role : std::uint8_t {
    begins_unit,      ///< it has parameters
    joins,            ///< it goes with the layer before: an activation, a normalisation
    leads_into_head,  ///< it joins, or, right ahead of the last layer, belongs to the head
  };

  Unit::Layer layer;
  Role role = Role::joins;
};

/// See Backbone::from().
/// \param shape of one sample.
/// \throws UserError for a chain of fewer than two layers that begin a unit.
Backbone cut_chain(std::vector<ChainLayer> chain, const Shape& shape, const std::string& name);

}  // namespace mlaan
