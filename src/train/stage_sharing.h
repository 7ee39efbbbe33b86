// The weights and optimizer state that the stages of a training exchange between steps.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/engine.h>

#include <string>
#include <vector>

namespace mlaan {

/// Finishes all steps, and broadcasts each stage's trained weights to all ranks.
/// \param beside tensors to broadcast with the weights, such as averages. Each is named as its
///        weight with the prefix.
void share_weights(Engine& engine, ProcessGroup& group, const std::vector<NamedTensor>& beside,
                   const std::string& prefix);

/// The optimizers' state of all other stages, and twin updates that are pending there. Must be
/// called by all ranks.
std::vector<NamedTensor> state_of_other_stages(const Engine& engine, ProcessGroup& group);

/// Drops the optimizers' state of all parts that other stages train.
void keep_own_state(const Engine& engine);

/// Notes for the user on where stages wait for later stages, one per line.
std::vector<std::string> notes_on_waiting(const Engine& engine);

}  // namespace mlaan
