// Leap augmented modules (LAM), the second half of MLAAN (AAAI 2025).
//
// Update rule: the auxiliary net of module j is a chain of trained copies of later units, then
// the host's head. The first copy has a frozen twin, whose output is added to the copy's and whose
// parameters follow the unit's: twin ← m·twin + (1−m)·unit, once per step after the update.
#pragma once

#include <mlaan/local/host.h>
#include <mlaan/local/method.h>
#include <mlaan/local/methods/greedy.h>

#include <cstdint>
#include <string>

namespace mlaan {

struct LamOptions {
  static constexpr const char* section = "lam";
  double ema_momentum = 0.995;  ///< m, of the twins' moving averages
  std::string twins = "first";  ///< leap layers that have a twin: "none", "first" or "all"
  std::int64_t length = 4;      ///< leap layers per net, for rows made by leap_row()
  std::int64_t pool = 1;        ///< see LeapAugmented::pool
  std::int64_t narrow = 1;      ///< factor to divide the channels of leap layers by
  bool tied = false;            ///< leap layers share their units' weights and are not trained
  bool frozen = false;          ///< leap layers stay as they are when the training or phase starts
  bool readout = false;         ///< nets end in the backbone's own head, whose weights they share
  bool shared = false;          ///< see LeapAugmented::shared
  double fraction = 1;          ///< share of the steps that evaluate leap nets; above 0, at most 1
  /// One text for each module but the last: names of units, separated by blanks. Empty: the
  /// published rows if the partition has some, else those of leap_row().
  TextList rows;

  void describe(FieldList& fields);
};

/// The condition on an option that is a share of all steps: above 0, at most 1.
Accepts part_of_steps();
/// The condition on an option that says which leap layers have a twin.
Accepts twinned_layers();

namespace methods {

/// The leap layers that the options ask for.
/// \throws UserError for unknown units and for rows that cannot run.
LeapAugmented leap_augmented(const Backbone& backbone, const Partition& partition,
                             const LamOptions& options);
Plan lam(const Backbone& backbone, const Partition& partition, const LamOptions& options = {},
         const GreedyOptions& host = {}, std::uint64_t seed = 0);

MethodEntry lam_entry();
/// Puts leap layers before a host's nets; with MLM, before those of cascaded supervisions only.
AdditionEntry lam_addition();

}  // namespace methods
}  // namespace mlaan
