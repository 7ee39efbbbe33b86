// The state of LibTorch's optimizers for each parameter, as named tensors.
#pragma once

#include <mlaan/local/engine.h>

#include <vector>

namespace mlaan {

/// For every parameter NAME that has a state: "optimizer.NAME.momentum_buffer" of SGD,
/// "optimizer.NAME.exp_avg", "….exp_avg_sq" and "….step" of Adam and AdamW. Moments in eight bits
/// are "….codes" and "….scales".
/// \throws Error for an optimizer of an unknown type.
std::vector<NamedTensor> optimizer_state(const std::vector<TrainedPart>& parts);
/// The state of one of the part's parameters.
std::vector<NamedTensor> optimizer_state(const TrainedPart& part, const NamedTensor& parameter);

/// Restores every optimizer's state from the result of optimizer_state(). Parameters that `state`
/// does not name get no state, as before their first step. Names that belong to no parameter are
/// ignored.
/// \throws UserError, and changes nothing, for a tensor of another shape than its parameter.
void set_optimizer_state(const std::vector<TrainedPart>& parts,
                         const std::vector<NamedTensor>& state);

}  // namespace mlaan
