// Leap layers: copies of later units that an auxiliary net is made of (MLAAN, AAAI 2025, LAM).
#pragma once

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/parameter_average.h>
#include <mlaan/nn/unit.h>

#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// Positions of the units that one leap net is copied from, in ascending order.
using LeapRow = std::vector<std::size_t>;

/// Which leap layers have a frozen twin that follows the unit by exponential moving average.
enum class Twins : std::uint8_t { none, first, all };

/// The leap layers of one net, and what keeps their twins up to date.
struct LeapLayers {
  std::vector<Unit> units;
  std::vector<ParameterAverage> averages;
};

/// Copies the units of `row`. Layer n is called "leap.n"; where it has a twin, it gives
/// copy(z) + twin(z), and its parameters are called "leap.n.copy.…" and "leap.n.twin.…". Copies
/// start equal to their units and are trained; twins start equal too, are frozen (gradients pass
/// through them to z) and follow the unit's parameters with the given momentum.
/// \param narrow factor to divide the channels of all of them by (see narrow()); such layers start
///        from, and their twins follow, the units' grouped weights.
/// \throws UserError where a unit cannot be copied, or not be made narrower.
LeapLayers make_leap_layers(const Backbone& backbone, const LeapRow& row, Twins twins,
                            double momentum, std::int64_t narrow = 1);

/// A layer that averages maps (C×h×w) over squares of `factor` by `factor` positions.
/// \throws UserError for features that are no maps, or maps whose sides the factor does not divide.
Unit pooling_unit(const Shape& features, std::int64_t factor);

/// The rule for chains without a published row. Taken are: the units after `last_unit` that change
/// the shape, and the last unit; then, until there are `length` layers (one less where `last_unit`
/// is itself in the last stage), evenly spaced units of the last stage.
/// \param last_unit the last unit of the module that the net reads; not the backbone's last.
LeapRow leap_row(const Backbone& backbone, std::size_t last_unit, std::size_t length = 4);

/// \throws UserError where a layer of the row does not take what the one before gives.
void check_leap_row(const Backbone& backbone, std::size_t last_unit, const LeapRow& row);

}  // namespace mlaan
