// MLAAN with cheap leap nets.
//
// Update rule: that of MLAAN, except that windows do not overlap, instead of one ending at each
// module; a module at the end of a window has no independent supervision; and leap nets read pooled
// maps, and have fewer channels, fewer layers and no twin.
#pragma once

#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlm.h>

#include <cstdint>
#include <string>

namespace mlaan {

/// The options whose defaults differ from MlmOptions and LamOptions, which provide all others.
struct LeanOptions {
  static constexpr const char* section = "lean";
  std::int64_t stride = 0;           ///< as MlmOptions::stride; 0: the window
  bool independent_at_ends = false;  ///< as MlmOptions::independent_at_ends
  std::int64_t pool = 2;             ///< as LamOptions::pool
  std::int64_t narrow = 2;           ///< as LamOptions::narrow
  std::int64_t length = 2;           ///< as LamOptions::length
  std::string twins = "none";        ///< as LamOptions::twins

  void describe(FieldList& fields);
};

namespace methods {

Plan mlaan_lean(const Backbone& backbone, const Partition& partition,
                const LeanOptions& options = {}, const MlmOptions& mlm = {}, LamOptions lam = {},
                const GreedyOptions& host = {}, std::uint64_t seed = 0);

MethodEntry mlaan_lean_entry();

}  // namespace methods
}  // namespace mlaan
