// What the stages of a training tell each other between steps.
#pragma once

#include <mlaan/dist/process_group.h>
#include <mlaan/local/engine.h>

#include <string>
#include <vector>

namespace mlaan {

/// Finishes all steps, and gives every rank the weights that each stage has trained.
/// \param beside tensors that go with weights, each called as its weight with a prefix: averages.
void share_weights(Engine& engine, ProcessGroup& group, const std::vector<NamedTensor>& beside,
                   const std::string& prefix);

/// What the optimizers of all other stages remember, and what twins have yet to follow of modules
/// there. To be called by all ranks.
std::vector<NamedTensor> state_of_other_stages(const Engine& engine, ProcessGroup& group);

/// Forgets the optimizers' state of all parts that other stages train.
void keep_own_state(const Engine& engine);

/// What a user should know of where stages wait, a line each.
std::vector<std::string> notes_on_waiting(const Engine& engine);

}  // namespace mlaan
