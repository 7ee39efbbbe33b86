// The slow and obvious way to a plan's gradients: every supervision's window run by itself.
#pragma once

#include <mlaan/local/plan.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace mlaan::testing {

struct NaiveResult {
  std::map<std::string, torch::Tensor> gradients;  ///< by parameter; zeros where none reaches
  std::vector<double> losses;                      ///< of the supervisions with a weight above 0
  std::map<std::string, torch::Tensor> buffers;  ///< after one forward pass of each module, and of
                                                 ///< each net for each of its losses
};

/// Runs, for each supervision, the modules before its window without gradient, then the window from
/// the detached input, forward and backward. Random draws are those of an engine with this seed in
/// this step. Leaves parameters, their gradients and buffers as they were.
/// \param boundaries type that every module's output but the last one's is rounded to; gradients
///        pass the rounding as they are.
NaiveResult naive_gradients(const Backbone& backbone, const Plan& plan, const torch::Tensor& images,
                            const torch::Tensor& labels, std::uint64_t seed, std::int64_t step,
                            std::optional<torch::Dtype> boundaries = std::nullopt);

}  // namespace mlaan::testing
