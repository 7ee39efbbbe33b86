// Partitions that can be asked for by a word.
#pragma once

#include <mlaan/local/partition.h>

#include <cstddef>
#include <optional>
#include <string>

namespace mlaan {

/// "default" or "published" (see default_partition()), "uniform", "bytes" or "multiply-adds":
/// modules that are alike in activation bytes or in multiply-adds. Nothing for another word. \param
/// modules K; 0 for one block a module. \throws UserError for more modules than units.
std::optional<Partition> partition_of_kind(const std::string& kind, const Backbone& backbone,
                                           std::size_t modules);

}  // namespace mlaan
