// Measures what a step of each method of a comparison costs, side by side.
#pragma once

#include <mlaan/train/comparison.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace mlaan {

/// The cost of one method's step. For a method with phases: time averaged over the training, bytes
/// of its largest phase.
struct StepCost {
  std::string spec;       ///< as MethodSpec::text
  double time_ratio = 0;  ///< to a step of end-to-end training in the same measurement
  std::int64_t peak_bytes = 0;
  /// Spec of the compared method that has the same errors, for a method that is measured but not
  /// trained; "" for one that is compared.
  std::string errors_of = "";
};

/// Measures the methods of a comparison in turn, as run_benchmark() does; the machine should do
/// nothing else. If end-to-end training is among them, checkpointing with several numbers of
/// segments is measured too: it has end-to-end's error at another cost.
/// \param group as of run_benchmark().
/// \return the costs; empty if it was stopped before all methods were measured.
std::vector<StepCost> measure_step_costs(const Settings& settings, const DataSource& data,
                                         const std::vector<MethodSpec>& specs,
                                         const std::function<void(const std::string&)>& progress,
                                         const std::function<bool()>& should_stop,
                                         ProcessGroup* group = nullptr);

/// \throws Error if that method was not measured.
const StepCost& cost_of(const std::string& spec, const std::vector<StepCost>& costs);

/// The methods that were not measured.
std::vector<MethodSpec> without_costs(const std::vector<MethodSpec>& specs,
                                      const std::vector<StepCost>& costs);

/// Adds the costs of methods that have none yet; existing costs stay.
void add_costs(std::vector<StepCost>& costs, const std::vector<StepCost>& more);

/// Sets each run's number of epochs, at least one, so that it takes the time of the first method's
/// run.
/// \param epochs of the first method.
void give_equal_time(std::vector<ComparedRun>& runs, const std::vector<StepCost>& costs,
                     std::int64_t epochs);

}  // namespace mlaan
