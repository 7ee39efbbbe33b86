// Leap augmented modules (LAM), the second half of MLAAN (AAAI 2025).
//
// Update rule: the auxiliary net of module j is a chain of trained copies of later units, then
// the host's head. The first copy has a frozen twin, whose output is added to the copy's and whose
// parameters follow the unit's: twin ← m·twin + (1−m)·unit, once a step after the update.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/greedy.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct LamOptions {
  static constexpr const char* section = "lam";
  double ema_momentum = 0.995;
  std::string twins = "first";
  std::int64_t length = 4;
  std::int64_t pool = 1;
  std::int64_t narrow = 1;
  bool tied = false;     ///< leap layers read their units' weights and are not trained
  bool readout = false;  ///< nets end in the backbone's own head, read in the same way
  bool shared = false;
  double fraction = 1;
  /// One text for each module but the last: names of units, separated by blanks. Empty: the
  /// published rows where there are some for the partition, else the rule of leap_row().
  TextList rows;

  void describe(FieldList& fields);
};

/// What an option accepts that is a part of all steps: above 0, at most 1.
Accepts part_of_steps();
/// What an option accepts that says which leap layers have a twin.
Accepts twinned_layers();

namespace methods {

/// \throws UserError for unknown units and for rows that cannot run.
LeapAugmented leap_augmented(const Backbone& backbone, const Partition& partition,
                             const LamOptions& options);
Plan lam(const Backbone& backbone, const Partition& partition, const LamOptions& options = {},
         const GreedyOptions& host = {}, std::uint64_t seed = 0);

MethodEntry lam_entry();
/// Leap layers ahead of a host's nets; with MLM, of the cascaded ones.
AdditionEntry lam_addition();

}  // namespace methods
}  // namespace mlaan
