// What a step of each method of a comparison takes, measured side by side.
#pragma once

#include <mlaan/train/comparison.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// A step of one method. Of a method with phases: its time on average over the training, and the
/// bytes of its fattest phase.
struct StepCost {
  std::string spec;       ///< as MethodSpec::text
  double time_ratio = 0;  ///< to end-to-end's step in the same run
  std::int64_t peak_bytes = 0;
};

/// Measures every method of a comparison in turn, as run_benchmark() does, on a machine that should
/// do nothing else; and, where end-to-end training is among them, checkpointing in several numbers
/// of segments, which has end-to-end's error at another price.
/// \return nothing where it was stopped.
std::vector<StepCost> measure_step_costs(const Settings& settings, const DataSource& data,
                                         const std::vector<MethodSpec>& specs,
                                         const std::function<void(const std::string&)>& progress,
                                         const std::function<bool()>& should_stop);

/// \throws Error where that method was not measured.
const StepCost& cost_of(const std::string& spec, const std::vector<StepCost>& costs);

/// Those of the methods that were not measured.
std::vector<MethodSpec> without_costs(const std::vector<MethodSpec>& specs,
                                      const std::vector<StepCost>& costs);

/// Adds the costs of what was not measured before; what was keeps its own.
void add_costs(std::vector<StepCost>& costs, const std::vector<StepCost>& more);

/// Gives every run as many epochs as take the time of the first method's, at least one.
/// \param epochs of the first method.
void give_equal_time(std::vector<ComparedRun>& runs, const std::vector<StepCost>& costs,
                     std::int64_t epochs);

}  // namespace mlaan
