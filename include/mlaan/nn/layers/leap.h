// Leap layers: copies of later units within an auxiliary net (LAM of MLAAN, AAAI 2025).
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/parameter_average.h>
#include <mlaan/nn/unit.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace mlaan {

/// Indices of the backbone's units that the leap layers of one net copy, in ascending order.
using LeapRow = std::vector<std::size_t>;

/// A unit, and the moving average that updates its frozen twin, if it has one.
struct TwinnedUnit {
  Unit unit;
  std::optional<ParameterAverage> average;
};

/// The sum of a trained layer and a frozen twin of unit `original`: trained(z) + twin(z). The twin
/// starts equal to the unit and follows its parameters with the given momentum; gradients pass
/// through it to z. Parameters are named "NAME.copy.…" and "NAME.twin.…".
/// \param narrow factor to divide the twin's channels by (see narrow()).
TwinnedUnit with_twin(const Backbone& backbone, std::size_t original, const std::string& name,
                      Unit trained, double momentum, std::int64_t narrow = 1);

/// A trained copy of unit `original`, which starts equal to it. With a momentum, it has a twin.
/// \param narrow factor to divide the channels by (see narrow()): the copy starts from, and the
///        twin follows, the unit's grouped() weights.
/// \throws UserError if the unit cannot be copied or made narrower.
TwinnedUnit leap_unit(const Backbone& backbone, std::size_t original, const std::string& name,
                      std::optional<double> momentum, std::int64_t narrow = 1);

/// A unit that follows the parameters of `original` exactly, grouped() if it is narrower, and is
/// never trained itself: it has no gradients, no optimizer state and, unless it is narrower, no
/// memory of its own from the first step on (see share_memory()). Gradients pass through it to its
/// input.
TwinnedUnit tied_unit(const Unit& original, const std::string& name, std::int64_t narrow = 1);

/// The leap row for backbones without a published one: the units after `last_unit` that change the
/// shape, and the last unit; then, up to `length` layers (one less if `last_unit` is itself in the
/// last stage), evenly spaced units of the last stage.
/// \param last_unit the last unit of the module that the net reads; not the backbone's last.
LeapRow leap_row(const Backbone& backbone, std::size_t last_unit, std::size_t length = 4);

/// \throws UserError if a unit of the row does not come after `last_unit`, or cannot read the
///         output of the unit before it in the row.
void check_leap_row(const Backbone& backbone, std::size_t last_unit, const LeapRow& row);

}  // namespace mlaan
