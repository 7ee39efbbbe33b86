// The partitions and leap rows that the papers' code uses for their backbones.
#pragma once

#include <mlaan/local/partition.h>
#include <mlaan/nn/backbone.h>
#include <mlaan/nn/layers/leap.h>

#include <cstddef>
#include <optional>
#include <vector>

namespace mlaan {

/// The published partition of the backbone into `modules` modules, if there is one: resnet32 into
/// 2, 3, 4, 8, 15 or 16, resnet110 into 2, 3, 4, 8, 16, 32, 54 or 55, resnet101 into 33 or 34.
std::optional<Partition> published_partition(const Backbone& backbone, std::size_t modules);

/// The published partition if there is one, else the uniform one.
/// \param modules K; 0: one block per module.
/// \throws UserError for more modules than units.
Partition default_partition(const Backbone& backbone, std::size_t modules);

/// The published leap rows of every module but the last, if the partition is a published one with
/// leap rows: resnet32 in 8 or 15 modules, resnet110 in 32 or 54, resnet101 in 33.
std::optional<std::vector<LeapRow>> published_leap_rows(const Backbone& backbone,
                                                        const Partition& partition);

}  // namespace mlaan
