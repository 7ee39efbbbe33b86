// Writes traced networks as ONNX models.
#pragma once

#include "io/onnx_model.h"
#include "train/traced_network.h"

#include <string>
#include <vector>

namespace mlaan {

/// \param network the traced network; its parameters and buffers become initializers of the same
///        names.
/// \return a model with the input "images" and the outputs MultiExitNetwork::output_names(), for
///         batches of any size.
/// \throws UserError naming an operator that has no ONNX counterpart.
OnnxModel onnx_model(const TracedNetwork& traced, const MultiExitNetwork& network);

}  // namespace mlaan
