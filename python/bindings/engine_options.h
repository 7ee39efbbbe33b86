// Converts a Python dict to EngineOptions.
#pragma once

#include <mlaan/local/engine.h>

#include <pybind11/pybind11.h>

namespace mlaan::python {

/// \param given a dict whose keys are names of EngineOptions' fields.
EngineOptions make_engine_options(const pybind11::dict& given);

}  // namespace mlaan::python
