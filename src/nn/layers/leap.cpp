// Leap layers of auxiliary nets: copies of later units (MLAAN, AAAI 2025, LAM).
#include <mlaan/nn/layers/leap.h>
#include <mlaan/nn/layers/narrow.h>

#include <algorithm>
#include <cmath>

namespace mlaan {
namespace {

/// The first unit of `unit`'s stage: the last one, up to `unit`, that changes the shape.
std::size_t stage_start(const Backbone& backbone, std::size_t unit) {
  while (unit > 0 && backbone.input_shape(unit) == backbone.output_shape(unit)) --unit;
  return unit;
}

}  // namespace

TwinnedUnit with_twin(const Backbone& backbone, std::size_t original, const std::string& name,
                      Unit trained, double momentum, std::int64_t narrow) {
  const Unit& unit = backbone.units().at(original);
  Unit twin = unit.clone("twin");
  mlaan::narrow(twin, narrow);
  auto average = follow(twin, unit, momentum);
  return {Unit::sum(name, {std::move(trained), std::move(twin)}), std::move(average)};
}

TwinnedUnit leap_unit(const Backbone& backbone, std::size_t original, const std::string& name,
                      std::optional<double> momentum, std::int64_t narrow) {
  const Unit& unit = backbone.units().at(original);
  Unit copy = unit.clone(momentum ? "copy" : name);
  mlaan::narrow(copy, narrow);
  if (!momentum) return {std::move(copy), std::nullopt};
  return with_twin(backbone, original, name, std::move(copy), *momentum, narrow);
}

TwinnedUnit tied_unit(const Unit& original, const std::string& name, std::int64_t narrow) {
  Unit tied = original.clone(name);
  mlaan::narrow(tied, narrow);
  auto average = follow(tied, original, /*momentum=*/0);
  return {std::move(tied), std::move(average)};
}

LeapRow leap_row(const Backbone& backbone, std::size_t last_unit, std::size_t length) {
  const std::size_t final_unit = backbone.size() - 1;
  LeapRow row;
  for (std::size_t unit = last_unit + 1; unit < final_unit; ++unit) {
    if (backbone.input_shape(unit) != backbone.output_shape(unit)) row.push_back(unit);
  }
  row.push_back(final_unit);

  const std::size_t last_stage = stage_start(backbone, final_unit);
  const std::size_t wanted = last_unit >= last_stage && length > 1 ? length - 1 : length;
  const std::size_t before = std::max(last_unit, last_stage);
  if (row.size() >= wanted || before >= final_unit) return row;
  const std::size_t between = std::min(wanted - row.size(), final_unit - before - 1);
  for (std::size_t i = 1; i <= between; ++i) {
    const double step = static_cast<double>(final_unit - before) / static_cast<double>(between + 1);
    row.push_back(before + static_cast<std::size_t>(std::lround(step * static_cast<double>(i))));
  }
  std::sort(row.begin(), row.end());
  return row;
}

void check_leap_row(const Backbone& backbone, std::size_t last_unit, const LeapRow& row) {
  Shape shape = backbone.output_shape(last_unit);
  std::string giver = backbone.units().at(last_unit).name();
  for (const std::size_t unit : row) {
    const std::string& name = backbone.units().at(unit).name();
    if (unit <= last_unit) {
      throw UserError("leap layer '" + name + "' does not come after '" +
                      backbone.units()[last_unit].name() + "', the last unit of its module");
    }
    if (backbone.input_shape(unit) != shape) {
      throw UserError("leap layer '" + name + "' takes " + to_string(backbone.input_shape(unit)) +
                      ", but '" + giver + "' before it gives " + to_string(shape));
    }
    shape = backbone.output_shape(unit);
    giver = name;
  }
}

}  // namespace mlaan
