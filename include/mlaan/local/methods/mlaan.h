// MLAAN (AAAI 2025): multilaminar local modules whose cascaded nets are leap augmented.
//
// Update rule: that of MLM, with the nets of LAM for the cascaded supervisions.
#pragma once

#include <mlaan/local/methods/greedy.h>
#include <mlaan/local/methods/lam.h>
#include <mlaan/local/methods/mlm.h>

#include <cstdint>

namespace mlaan::methods {

/// All options of MLAAN, with the paper's defaults.
struct MlaanOptions {
  MlmOptions mlm;
  LamOptions lam;
  GreedyOptions host;
};

Plan mlaan(const Backbone& backbone, const Partition& partition, const MlaanOptions& options = {},
           std::uint64_t seed = 0);

MethodEntry mlaan_entry();

}  // namespace mlaan::methods
