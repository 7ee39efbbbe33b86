// AugLocal: augmented local learning (Ma et al. 2024, ICLR, arXiv:2402.17318).
//
// Update rule: each module has one supervision of its own, the cross-entropy of a net of newly
// initialised blocks in the form of later units, evenly chosen. Nets get shorter from the first
// module to the last.
#pragma once

#include <mlaan/local/method.h>

#include <cstdint>
#include <vector>

namespace mlaan {

struct AuglocalOptions {
  static constexpr const char* section = "auglocal";
  std::int64_t depth = 2;  ///< blocks of the first module's net
  /// How much shorter nets get from the first module to the last, from 0, not at all, to 1.
  double pyramid = 0.5;
  /// Lowest number of units of the last module besides its first; below 0: `depth`, or fewer if
  /// that would leave no cut.
  std::int64_t tail = -1;

  void describe(FieldList& fields);
};

namespace methods {

/// Indices of the units whose form the net behind unit l = `unit` (from 0, of L = `units`) takes:
/// round(l + (L−1−l)·i/a) for i = 1 … a, where a = max(1, round(d·(1−x) + x)), x = l·t/(K−2),
/// d = `depth`, t = `pyramid`, and K = L − d is the number of modules that the published code makes
/// of L units. For K ≤ 2, x = 0. If a is at least the number of later units, the net takes all of
/// them. Halves are rounded to even.
std::vector<std::size_t> auglocal_units(std::size_t unit, std::size_t units, std::int64_t depth,
                                        double pyramid);

/// The partition without the cuts that would leave fewer than `tail` + 1 units to the last module.
/// \throws UserError if no cut is left.
Partition auglocal_partition(const Backbone& backbone, const Partition& partition,
                             const AuglocalOptions& options);

/// \throws UserError if `depth` exceeds the number of units after the first module.
LocalMethod auglocal_method(const Backbone& backbone, const Partition& partition,
                            const AuglocalOptions& options = {});
Plan auglocal(const Backbone& backbone, const Partition& partition,
              const AuglocalOptions& options = {}, std::uint64_t seed = 0);

MethodEntry auglocal_entry();

}  // namespace methods
}  // namespace mlaan
