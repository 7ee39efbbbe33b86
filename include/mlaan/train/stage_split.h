// Where the stages of a run begin.
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

/// The modules, from 0, that stages begin with, of a text such as "6,11"; of "time" and "bytes" the
/// first alone.
/// \throws UserError for another text.
std::vector<std::size_t> parse_stage_split(const std::string& text);

/// Cuts modules of these costs so that the most expensive of so many stages costs as little as can
/// be. \param border_costs of ending a stage with each module but the last; empty: 0.
/// \return the first modules.
std::vector<std::size_t> balanced_stages(const std::vector<double>& costs, std::size_t stages,
                                         const std::vector<double>& border_costs = {});

/// The same of a plan's modules. A stage costs a little more where windows go on behind it, for
/// what waits there holds activations in the meantime. \throws UserError for more stages than
/// modules.
std::vector<std::size_t> stages_of_costs(const Plan& plan, const std::vector<double>& costs,
                                         std::size_t stages);

/// A trial of the run's plan that recomputes what the run does.
Trial make_trial_of_run(const Settings& settings, const Backbone& backbone,
                        const MethodEntry& method);

/// What each module costs a training of this batch: by "time", seconds of a step's operations on it
/// and its nets, measured; by "bytes", those of its parameters with their gradients and momentum,
/// and of its activations.
std::vector<double> module_costs(Trial& trial, const std::string& by, std::int64_t batch);

/// The settings with dist.split settled by measuring, where it asks for that.
/// \throws UserError for more stages than there are modules.
Settings with_stage_split(const Settings& settings, const DataSource& data,
                          const MethodEntry& method);

/// The first modules of the run's stages.
/// \throws UserError where dist.split does not fit dist.stages, or the plan's modules.
std::vector<std::size_t> first_modules_of_stages(const Settings& settings, std::size_t modules);

}  // namespace mlaan
