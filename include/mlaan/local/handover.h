// Hands a training over from one plan to the next.
#pragma once

#include <mlaan/local/engine.h>

namespace mlaan {

/// Makes the engine for the next phase of a training, on the same backbone. It keeps the
/// parameters, the buffers, the optimizer state of each parameter that both plans train, the loss
/// scale, and the number of steps done, which with the seed determines everything random. Nets with
/// the same name in both plans keep their tensors where the shapes agree. Nets that only the next
/// plan has start with that plan's weights; nets that only the former plan has are dropped.
/// \param before the engine so far, which is consumed.
/// \throws UserError as Engine's constructor.
Engine hand_over(Engine before, Plan next, EngineOptions options);

}  // namespace mlaan
