// Converts a Python dict to EngineOptions.
#include "engine_options.h"

#include "python_optimizer.h"

#include <mlaan/core/precision.h>

#include <string>

namespace mlaan::python {

EngineOptions make_engine_options(const py::dict& given) {
  EngineOptions options;
  options.optimizer = given["optimizer"].cast<const BoundOptimizer&>().make;
  options.fused_update = given["fused_update"].cast<bool>();
  options.micro_batches = given["micro_batches"].cast<std::int64_t>();
  options.device = torch::Device(given["device"].cast<std::string>());
  options.memory_format = given["channels_last"].cast<bool>() ? torch::MemoryFormat::ChannelsLast
                                                              : torch::MemoryFormat::Contiguous;
  options.reference_kernels = given["reference_kernels"].cast<bool>();
  options.seed = given["seed"].cast<std::uint64_t>();
  options.precision = parse_precision(given["precision"].cast<std::string>());
  options.boundaries = parse_precision(given["boundaries"].cast<std::string>());
  options.clip_grad = given["clip_grad"].cast<double>();
  options.layer_decay = given["layer_decay"].cast<double>();
  return options;
}

}  // namespace mlaan::python
