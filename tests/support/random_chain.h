// Random chains of units, random partitions and random plans for property tests.
#pragma once

#include <mlaan/core/random.h>
#include <mlaan/local/plan.h>

#include <cstdint>

namespace mlaan::testing {

/// All that a training step needs.
struct TrainingCase {
  Backbone backbone;
  Plan plan;
  torch::Tensor images;
  torch::Tensor labels;
};

/// A chain of 4 to 8 units - convolutions or linear layers with batch normalisation, dropout and
/// residual connections - cut unevenly into 2 to 5 modules, with overlapping windows of 1 to 4
/// modules, nets of several forms, nets and losses shared between supervisions, and any weights.
/// A pure function of the key.
TrainingCase random_case(std::uint64_t key, torch::Dtype dtype);

}  // namespace mlaan::testing
