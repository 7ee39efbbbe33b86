// Goes from one plan to the next within a training.
#pragma once

#include <mlaan/local/engine.h>

namespace mlaan {

/// An engine for the next phase of a training, on the same backbone. What both plans train goes on:
/// parameters, buffers, the optimizer's state of each parameter, the loss scale, and the number of
/// steps done, which with the seed decides all that is random. Nets go on where both plans have one
/// of a name, tensor by tensor where the shapes agree; nets that the next plan alone has begin as
/// it was handed over, those that the former alone had are dropped.
/// \param before the engine so far; it gives up its optimizers' state.
/// \throws UserError as Engine's constructor.
Engine hand_over(Engine before, Plan next, EngineOptions options);

}  // namespace mlaan
