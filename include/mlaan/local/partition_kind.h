// Partitions that are selected by a word.
#pragma once

#include <mlaan/local/partition.h>

#include <cstddef>
#include <optional>
#include <string>

namespace mlaan {

/// The partition of a kind: "default" or "published" (see default_partition()), "uniform", "bytes"
/// or "multiply-adds" (modules balanced by activation bytes or multiply-adds).
/// \param modules K; 0: one block per module.
/// \return nullopt for another word.
/// \throws UserError for more modules than units.
std::optional<Partition> partition_of_kind(const std::string& kind, const Backbone& backbone,
                                           std::size_t modules);

}  // namespace mlaan
