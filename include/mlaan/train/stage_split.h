// Splits the modules of a run into stages.
#pragma once

#include <mlaan/data/dataset.h>
#include <mlaan/local/method.h>
#include <mlaan/local/trial.h>
#include <mlaan/train/settings.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace mlaan {

/// The first module of each stage, from 0, of a text such as "6,11", whose numbers are from 1; of
/// "time" and "bytes" only that of the first stage.
/// \throws UserError for another text.
std::vector<std::size_t> parse_stage_split(const std::string& text);

/// Splits modules with these costs into stages so that the most expensive stage costs as little as
/// possible.
/// \param border_costs cost of ending a stage with each module but the last; empty: 0.
/// \return the first module of each stage.
std::vector<std::size_t> balanced_stages(const std::vector<double>& costs, std::size_t stages,
                                         const std::vector<double>& border_costs = {});

/// The same for a plan's modules. A stage costs a little more if windows continue into the next
/// stage, because its modules hold their activations while they wait for it.
/// \throws UserError for more stages than modules.
std::vector<std::size_t> stages_of_costs(const Plan& plan, const std::vector<double>& costs,
                                         std::size_t stages);

/// A trial of the run's plan, with the run's recomputation.
Trial make_trial_of_run(const Settings& settings, const Backbone& backbone,
                        const MethodEntry& method);

/// The cost of each module, with its nets, for a batch of this size: by "time", the measured
/// seconds of a step's operations; by "bytes", those of parameters, gradients, momentum and
/// activations.
std::vector<double> module_costs(Trial& trial, const std::string& by, std::int64_t batch);

/// The settings with dist.split decided by measuring, if it is "time" or "bytes".
/// \throws UserError for more stages than modules.
Settings with_stage_split(const Settings& settings, const DataSource& data,
                          const MethodEntry& method);

/// The first module of each of the run's stages.
/// \throws UserError if dist.split does not match dist.stages or the number of modules.
std::vector<std::size_t> first_modules_of_stages(const Settings& settings, std::size_t modules);

}  // namespace mlaan
