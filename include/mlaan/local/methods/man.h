// MAN: momentum auxiliary network (Su et al. 2024, ECCV, arXiv:2407.05623).
//
// Update rule: the host's nets at the end of module j read the sum of two blocks of the form of the
// next unit: a trained block, the learnable bias, and a frozen copy of that unit, whose parameters
// follow the unit's: copy ← m·copy + (1−m)·unit, once per step.
#pragma once

#include <mlaan/local/method.h>
#include <mlaan/local/methods/infopro.h>

#include <cstdint>

namespace mlaan {

struct ManOptions {
  static constexpr const char* section = "man";
  double ema_momentum = 0.995;  ///< m, from 0 to 1

  void describe(FieldList& fields);
};

namespace methods {

/// Makes the host's nets read the two blocks, as their trunk.
void add_man(LocalMethod& method, const Backbone& backbone, const ManOptions& options = {});

/// MAN on InfoPro, as published.
Plan man(const Backbone& backbone, const Partition& partition, const ManOptions& options = {},
         const InfoproOptions& host = {}, std::uint64_t seed = 0);

MethodEntry man_entry();
AdditionEntry man_addition();

}  // namespace methods
}  // namespace mlaan
