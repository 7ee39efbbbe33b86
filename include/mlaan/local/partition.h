// A partition: which units of a backbone form which gradient-isolated module.
#pragma once

#include <mlaan/nn/backbone.h>

#include <cstddef>
#include <string>
#include <vector>

namespace mlaan {

/// K modules of consecutive units. Modules and units are counted from 0 here, and from 1 in text
/// for users.
class Partition {
 public:
  /// \param last_units the last unit of every module, ascending; the last entry is the backbone's
  ///        last unit.
  /// \throws UserError if `last_units` is empty or not ascending.
  explicit Partition(std::vector<std::size_t> last_units);

  /// K modules whose numbers of units differ by one at most, the longer ones first.
  /// \throws UserError for K = 0 or K above the number of units.
  static Partition uniform(const Backbone& backbone, std::size_t modules);

  /// The partition into K modules whose heaviest module is lightest.
  /// \param weights weight of each unit.
  /// \throws UserError for K = 0 or K above the number of weights.
  static Partition balanced(const std::vector<std::int64_t>& weights, std::size_t modules);

  /// Cuts after the units of these names, in order; the backbone's last unit may be left out.
  /// \throws UserError for an unknown name or a wrong order.
  static Partition after(const Backbone& backbone, const std::vector<std::string>& units);

  /// K, the number of modules.
  std::size_t size() const { return last_units_.size(); }
  std::size_t first_unit(std::size_t module) const;
  std::size_t last_unit(std::size_t module) const { return last_units_.at(module); }
  const std::vector<std::size_t>& last_units() const { return last_units_; }

 private:
  std::vector<std::size_t> last_units_;
};

bool operator==(const Partition& left, const Partition& right);

}  // namespace mlaan
