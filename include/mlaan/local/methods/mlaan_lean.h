// MLAAN with cheap leap nets.
//
// Update rule: that of MLAAN; but windows lie side by side instead of one at each module, a module
// that one ends at is supervised through it alone, and a leap net reads its module's maps pooled,
// has a part of the channels, fewer layers and no twin.
#pragma once

#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlm.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// What differs from MlmOptions and LamOptions; all else is taken from there.
struct LeanOptions {
  static constexpr const char* section = "lean";
  std::int64_t stride = 0;  ///< 0: as long as the window
  bool independent_at_ends = false;
  std::int64_t pool = 2;
  std::int64_t narrow = 2;
  std::int64_t length = 2;
  std::string twins = "none";

  void describe(FieldList& fields);
};

namespace methods {

Plan mlaan_lean(const Backbone& backbone, const Partition& partition,
                const LeanOptions& options = {}, const MlmOptions& mlm = {}, LamOptions lam = {},
                const GreedyOptions& host = {}, std::uint64_t seed = 0);

MethodEntry mlaan_lean_entry();

}  // namespace methods
}  // namespace mlaan
