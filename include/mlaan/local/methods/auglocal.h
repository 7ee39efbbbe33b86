// AugLocal: augmented local learning (Ma et al. 2024, ICLR, arXiv:2402.17318).
//
// Update rule: one supervision of each module by itself: cross-entropy of a net whose blocks have
// the form of later units, chosen evenly, freshly initialised. Nets get shorter from the first
// module to the last.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <vector>

namespace mlaan {

struct AuglocalOptions {
  static constexpr const char* section = "auglocal";
  std::int64_t depth = 2;
  double pyramid = 0.5;
  /// Units that the last module has at least besides its first; below 0: as many as `depth`, or
  /// fewer where that would leave no cut.
  std::int64_t tail = -1;

  void describe(FieldList& fields);
};

namespace methods {

/// Positions of the units that the net behind unit `unit` (from 0, of `units`) takes the form of:
/// round(l + (L−1−l)·i/a) for i = 1 … a, where a = max(1, round(d·(1−x) + x)) with x = l·t/(K−2),
/// d the depth, t the pyramid's decay and K = L − d the modules that the published code makes of L
/// units (of two modules or fewer, x = 0); all later units where a is no less than their number.
/// Halves are rounded to even.
std::vector<std::size_t> auglocal_units(std::size_t unit, std::size_t units, std::int64_t depth,
                                        double pyramid);

/// The partition without those cuts that would leave less than `tail` + 1 units to the last module.
/// \throws UserError where no cut is left.
Partition auglocal_partition(const Backbone& backbone, const Partition& partition,
                             const AuglocalOptions& options);

/// \throws UserError for a depth beyond the units that follow the first module.
LocalMethod auglocal_method(const Backbone& backbone, const Partition& partition,
                            const AuglocalOptions& options = {});
Plan auglocal(const Backbone& backbone, const Partition& partition,
              const AuglocalOptions& options = {}, std::uint64_t seed = 0);

MethodEntry auglocal_entry();

}  // namespace methods
}  // namespace mlaan
