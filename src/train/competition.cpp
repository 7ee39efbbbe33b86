// The methods that a benchmark measures, with what is settled before the first step.
#include "train/competition.h"

#include "train/joint_training.h"
#include "train/run_images.h"

#include <mlaan/core/error.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <string>
#include <utility>

namespace mlaan {
namespace {

/// \param group whose processes take a share each, unless they are stages; null: the whole batch.
Batch take_batch(const Settings& settings, const DataSource& data, ProcessGroup* group) {
  BatchShare share;
  const bool is_shared = group != nullptr && settings.get<DistOptions>().stages == 1;
  if (is_shared) share = {group->rank(), group->size()};
  const auto loader = make_train_loader(settings, data, all_indices(*data.train), {}, share);
  loader->start(0);
  Batch batch = *loader->next();
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  return {batch.images.to(device), batch.labels.to(device), {}, batch.whole_size};
}

/// Settles the memory format of batches, by measuring if the settings leave it open.
Settings settled(const Settings& asked, const DataSource& data,
                 const std::function<void(const std::string&)>& progress, ProcessGroup* group) {
  const Settings settings = settled_by_first(
      asked, group, {"engine.memory_format"},
      [&](const Settings& open) { return with_faster_memory_format(open, data); },
      "measuring which is faster");
  const std::string measured = measured_memory_format(settings);
  if (measured != measured_memory_format(asked)) progress(measured);
  return settings;
}

std::vector<MethodSpec> with_reference(const std::vector<std::string>& methods) {
  std::vector<MethodSpec> specs;
  for (const auto& method : methods) specs.push_back(MethodSpec::parse(method));
  if (std::none_of(specs.begin(), specs.end(), is_reference)) {
    specs.insert(specs.begin(), MethodSpec::parse(reference_method()));
  }
  return specs;
}

/// The phases of every method, in the methods' order.
/// \param runs each method's settings.
std::vector<SpecPhase> phases_of(const std::vector<Settings>& runs,
                                 const std::vector<MethodSpec>& specs) {
  std::vector<SpecPhase> all;
  for (std::size_t s = 0; s < specs.size(); ++s) {
    for (auto& phase : training_phases(runs[s], method_named(specs[s].method))) {
      all.push_back({s, std::move(phase)});
    }
  }
  return all;
}

std::vector<Settings> settings_of_methods(const Settings& run,
                                          const std::vector<MethodSpec>& specs) {
  std::vector<Settings> all;
  for (const auto& spec : specs) all.push_back(spec.applied_to(run));
  return all;
}

/// Decides where stages begin, for each method by itself.
void settle_splits(std::vector<Settings>& runs, const std::vector<MethodSpec>& specs,
                   const DataSource& data, ProcessGroup* group) {
  if (group == nullptr) return;
  for (std::size_t s = 0; s < runs.size(); ++s) {
    const auto& method = specs[s].method;
    runs[s] = measured_by_first(runs[s], data, method_named(method), group);
  }
}

/// Checks all methods before the first is measured, and throws for one that cannot be.
void check_measurable(const Settings& run, const DataSource& data,
                      const std::vector<MethodSpec>& specs, ProcessGroup* group) {
  const std::int64_t own = run.get<RunOptions>().batch_size;
  const std::int64_t whole = group == nullptr ? own : whole_batch(run);
  if (data.train->size() < whole) {
    throw UserError("batch_size = " + std::to_string(own) +
                    (whole == own ? "" : ", " + std::to_string(whole) + " in all processes,") +
                    " is more than the " + std::to_string(data.train->size()) +
                    " training images of " + data.name);
  }
  const Backbone backbone = make_backbone(run, data);
  for (auto& [spec, phase] : phases_of(settings_of_methods(run, specs), specs)) {
    check(make_bare_plan(phase.settings, backbone, phase.method), backbone);
  }
}

}  // namespace

Competition::Competition(const Settings& asked, const BenchmarkOptions& options,
                         const std::function<void(const std::string&)>& progress,
                         ProcessGroup* group)
    : specs_(with_reference(options.methods)), data_(make_data(asked)), group_(group) {
  check_measurable(asked, data_, specs_, group);
  const Settings settings = settled(asked, data_, progress, group);
  batch_ = take_batch(settings, data_, group);
  runs_ = settings_of_methods(settings, specs_);
  settle_splits(runs_, specs_, data_, group);
  if (group == nullptr || !options.beside_one_process || !is_first(group)) return;
  const std::string whole = std::to_string(whole_batch(settings));
  alone_ = settings.with({{"dist.processes", "1"}, {"dist.stages", "1"}, {"batch_size", whole}},
                         "one process");
  batch_alone_ = take_batch(*alone_, data_, nullptr);
}

std::vector<SpecPhase> Competition::phases() const {
  return phases_of(runs_, specs_);
}

Contestant Competition::enter(SpecPhase entered) const {
  return Contestant(std::move(entered.phase), data_, batch_, specs_[entered.spec], group_);
}

std::vector<SpecPhase> Competition::phases_alone() const {
  return phases_of(settings_of_methods(*alone_, specs_), specs_);
}

Contestant Competition::enter_alone(SpecPhase entered) const {
  return Contestant(std::move(entered.phase), data_, *batch_alone_, specs_[entered.spec], nullptr);
}

}  // namespace mlaan
