// Which parts of an engine belong to which stage.
#pragma once

#include "local/placed_network.h"

#include <mlaan/local/engine.h>

#include <cstddef>
#include <vector>

namespace mlaan {

/// \throws UserError for options and plans that need all gradients in one process.
void check_goes_in_stages(const EngineOptions& options, const Plan& plan);

/// The stage of each net.
/// \param whole the schedule of all stages together.
/// \throws UserError for a net that modules of two stages share.
std::vector<std::size_t> find_net_stages(const PlacedNetwork& network, const Stages& stages,
                                         const Schedule& whole);

/// The stage of each part: modules, then nets.
std::vector<std::size_t> find_part_stages(const PlacedNetwork& network, const Stages& stages,
                                          const std::vector<std::size_t>& net_stages);

/// Parameters and buffers of a stage's modules and nets.
std::vector<NamedTensor> tensors_of_stage(const PlacedNetwork& network,
                                          const std::vector<std::size_t>& part_stages,
                                          std::size_t stage);

}  // namespace mlaan
