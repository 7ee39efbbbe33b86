// Leap layers: copies of later units that an auxiliary net is made of (MLAAN, AAAI 2025, LAM).
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/parameter_average.h>
#include <mlaan/nn/unit.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// Positions of the units that one leap net is copied from, in ascending order.
using LeapRow = std::vector<std::size_t>;

/// A unit, and what keeps its frozen twin, where it has one, up to date.
struct TwinnedUnit {
  Unit unit;
  std::optional<ParameterAverage> average;
};

/// A trained layer and a frozen twin of unit `original`, whose outputs are added: trained(z) +
/// twin(z). The twin starts equal to the unit and follows its parameters with the given momentum;
/// gradients pass through it to z. Parameters are called "NAME.copy.…" and "NAME.twin.…".
/// \param narrow factor to divide the twin's channels by (see narrow()).
TwinnedUnit with_twin(const Backbone& backbone, std::size_t original, const std::string& name,
                      Unit trained, double momentum, std::int64_t narrow = 1);

/// A copy of unit `original`, which starts equal to it and is trained, with a twin where a momentum
/// is given. \param narrow factor to divide the channels by (see narrow()): it starts from, and its
/// twin follows, the unit's grouped weights.
/// \throws UserError where a unit cannot be copied, or not be made narrower.
TwinnedUnit leap_unit(const Backbone& backbone, std::size_t original, const std::string& name,
                      std::optional<double> momentum, std::int64_t narrow = 1);

/// A unit that reads the parameters of `original`, or their grouped means where it is narrower, and
/// is never trained itself: it has no gradient, no optimizer's state and, where it is not narrower,
/// no memory of its own from the first step on (see share_memory()). Gradients pass through it.
TwinnedUnit tied_unit(const Unit& original, const std::string& name, std::int64_t narrow = 1);

/// The rule for chains without a published row. Taken are: the units after `last_unit` that change
/// the shape, and the last unit; then, until there are `length` layers (one less where `last_unit`
/// is itself in the last stage), evenly spaced units of the last stage.
/// \param last_unit the last unit of the module that the net reads; not the backbone's last.
LeapRow leap_row(const Backbone& backbone, std::size_t last_unit, std::size_t length = 4);

/// \throws UserError where a layer of the row does not take what the one before gives.
void check_leap_row(const Backbone& backbone, std::size_t last_unit, const LeapRow& row);

}  // namespace mlaan
