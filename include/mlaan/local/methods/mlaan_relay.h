// MLAAN relay: few local modules first, the whole network last.
//
// Update rule: the first phase is that of `mlaan-lean`, with leap layers of full width and few
// modules that are balanced by the bytes of their activations. The second phase is end-to-end
// backpropagation through the same modules, each of which is recomputed for its backward pass. The
// backbone's parameters and their momentum carry over from one phase to the other.
#pragma once

#include <mlaan/local/method.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlaan {

struct RelayOptions {
  static constexpr const char* section = "relay";
  double whole_share = 0.4;  ///< share of the training that is end-to-end, from 0 to 1
  std::int64_t narrow = 1;   ///< factor to divide the channels of leap layers by
  bool whole_first = false;  ///< whether the end-to-end phase comes first

  void describe(FieldList& fields);
};

namespace methods {

/// The default number of modules: √(2·units), rounded, at least 2 and at most one block per module.
/// The activations of a window of two modules then take about as many bytes as the boundaries
/// between recomputed modules, which balances the memory of the two phases.
std::size_t relay_modules(const Backbone& backbone);

MethodEntry mlaan_relay_entry();

}  // namespace methods
}  // namespace mlaan
