// What LibTorch's optimizers remember of each parameter, as named tensors.
#pragma once

#include <mlaan/local/engine.h>

#include <vector>

namespace mlaan {

/// For every parameter NAME that has a state: "optimizer.NAME.momentum_buffer" of SGD,
/// "optimizer.NAME.exp_avg", "….exp_avg_sq" and "….step" of Adam and AdamW.
/// \throws Error for an optimizer whose state is not known here.
std::vector<NamedTensor> optimizer_state(const std::vector<TrainedPart>& parts);
/// The same of one parameter, one of the part's.
std::vector<NamedTensor> optimizer_state(const TrainedPart& part, const NamedTensor& parameter);

/// Sets every optimizer's state to what optimizer_state() gave. Parameters of which nothing is
/// named get no state, as before their first step. Names that belong to no parameter are let pass.
/// \throws UserError, and changes nothing, for a tensor of another shape than its parameter.
void set_optimizer_state(const std::vector<TrainedPart>& parts,
                         const std::vector<NamedTensor>& state);

}  // namespace mlaan
