// MLAAN relay: few local modules first, the whole network last.
//
// Update rule: for the first part of the training that of `mlaan-lean`, with leap layers of full
// width, in few modules that are balanced by the bytes of their activations; then end-to-end
// backpropagation through the same modules, each of which is recomputed for its backward pass. The
// backbone's parameters and their momentum go on from one to the other.
#pragma once

#include <mlaan/local/method.h>

#include <cstddef>
#include <cstdint>
#include <string>

namespace mlaan {

struct RelayOptions {
  static constexpr const char* section = "relay";
  double whole_share = 0.25;  ///< of the training that is end-to-end; 0: none
  std::int64_t narrow = 1;    ///< factor to divide the channels of leap layers by
  bool whole_first = false;   ///< end-to-end first, modules last

  void describe(FieldList& fields);
};

namespace methods {

/// √(2·units), rounded, at least 2 and at most one block a module. A window of two modules then
/// holds as much as the boundaries between recomputed ones, which balances the two phases.
std::size_t relay_modules(const Backbone& backbone);

MethodEntry mlaan_relay_entry();

}  // namespace methods
}  // namespace mlaan
