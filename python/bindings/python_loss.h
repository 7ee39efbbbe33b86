// A loss that calls a Python function.
#pragma once

#include "reference.h"

#include <mlaan/nn/backbone.h>
#include <mlaan/nn/loss.h>

namespace mlaan::python {

/// \param loss a text as parse_loss() takes it; or a callable of the output, the labels and, if it
///        has a parameter `images`, the images.
LossPtr make_loss(const py::object& loss, const Backbone& backbone);

}  // namespace mlaan::python
