// The planner: which settings of a method fit into a number of bytes, and which is fastest.
#include <mlaan/core/error.h>
#include <mlaan/local/automatic_recompute.h>
#include <mlaan/local/method.h>
#include <mlaan/local/partition_kind.h>
#include <mlaan/local/recompute.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/planner.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <exception>
#include <set>
#include <vector>

namespace mlaan {
namespace {

constexpr std::int64_t most_micro_batches = 64;

using Report = std::function<void(const std::string&)>;

std::vector<std::int64_t> module_counts(const Settings& settings, const Backbone& backbone) {
  const auto& run = settings.get<RunOptions>();
  if (run.modules > 0) return {run.modules};
  const bool by_hand = run.partition != "default" && !partition_of_kind(run.partition, backbone, 1);
  if (by_hand) {
    const auto partition = make_partition(settings, backbone, method_named(run.method));
    return {static_cast<std::int64_t>(partition.size())};
  }
  const auto blocks = static_cast<std::int64_t>(backbone.block_count());
  std::set<std::int64_t> counts{blocks};
  for (std::int64_t count = 2; count < blocks && count <= 32; count *= 2) counts.insert(count);
  return {counts.rbegin(), counts.rend()};
}

/// Numbers of micro-batches to try: 1 (the whole batch), 2, 4, 8, …
std::vector<std::int64_t> micro_batch_counts(std::int64_t batch) {
  std::vector<std::int64_t> counts;
  for (std::int64_t count = 1; count <= std::min(batch / 2, most_micro_batches); count *= 2) {
    counts.push_back(count);
  }
  return counts;
}

/// Whether the partition makes no difference: one window, and nothing is recomputed.
bool needs_no_cut(const Plan& plan) {
  return plan.supervisions.size() == 1 && plan.recompute.empty();
}

/// Calls `attempt` for one number of modules after the other, until it returns false. Numbers that
/// the method does not fit into, since its windows are longer, are left out.
/// \throws UserError of the first such number if there is no other.
void for_each_possible(const std::vector<std::int64_t>& counts,
                       const std::function<bool(std::int64_t modules)>& attempt) {
  std::exception_ptr refusal;
  bool any = false;
  for (const auto modules : counts) {
    try {
      const bool continues = attempt(modules);
      any = true;
      if (!continues) return;
    } catch (const UserError&) {
      if (!refusal) refusal = std::current_exception();
    }
  }
  if (!any && refusal) std::rethrow_exception(refusal);
}

class Planner {
 public:
  Planner(const Settings& settings, std::int64_t bytes, const Report& progress)
      : settings_(settings), bytes_(bytes), progress_(progress) {}

  void try_method(const MethodEntry& method, const Backbone& backbone) {
    if (method.phases) {
      try_phases(method, backbone);
      return;
    }
    for_each_possible(module_counts(settings_, backbone), [&](std::int64_t modules) {
      PlannedSetting setting = setting_of(method, modules);
      setting.partition = partition_into(modules, backbone);
      progress_(method.name + " in " + std::to_string(modules) + " modules");
      Trial trial = make_trial(applied(setting, settings_, "plan"), backbone, method);
      const bool any_cut = needs_no_cut(trial.plan());
      const std::size_t first = report_.settings.size();
      add_in_parts(setting, trial, "none");
      if (!method.end_to_end) {
        try_recompute(setting, trial, "activation");
        if (bytes_ == 0 || !fits_whole(first)) try_automatic(setting, trial);
      }
      return !any_cut;
    });
  }

  PlanReport take(const std::string& method) {
    auto& settings = report_.settings;
    for (std::size_t i = 0; i < settings.size(); ++i) {
      if (settings[i].method != method || !settings[i].fits) continue;
      if (!report_.chosen || better(settings[i], settings[*report_.chosen])) report_.chosen = i;
    }
    return std::move(report_);
  }

 private:
  /// A phase to measure, and what its plan recomputes by default.
  struct PhaseTrial {
    double share;
    Trial trial;
    std::vector<Recompute> modules;
    std::vector<Recompute> nets;
  };

  /// A method with phases has the peak of its largest phase and the mean step time of its phases.
  void try_phases(const MethodEntry& method, const Backbone& backbone) {
    for_each_possible(phased_module_counts(backbone), [&](std::int64_t modules) {
      PlannedSetting setting = setting_of(method, modules);
      setting.partition = settings_.get<RunOptions>().partition;
      auto phases = phase_trials(setting, method, backbone);
      progress_(method.name + " in " + std::to_string(setting.modules) + " modules");
      const std::size_t first = report_.settings.size();
      for (const char* recompute : {"default", "auto"}) {
        setting.recompute = recompute;
        add_phases_in_parts(setting, phases);
        if (bytes_ > 0 && fits_whole(first)) return false;
      }
      return true;
    });
  }

  PlannedSetting setting_of(const MethodEntry& method, std::int64_t modules) const {
    PlannedSetting setting;
    setting.method = method.name;
    setting.modules = modules;
    setting.batch = settings_.get<RunOptions>().batch_size;
    return setting;
  }

  /// The run's kind of partition, or else the one that suits so many modules.
  std::string partition_into(std::int64_t modules, const Backbone& backbone) const {
    const std::string& given = settings_.get<RunOptions>().partition;
    if (given != "default") return given;
    // With one module per block there is only one partition, which published tables know.
    return modules == static_cast<std::int64_t>(backbone.block_count()) ? "published" : "bytes";
  }

  std::vector<PhaseTrial> phase_trials(PlannedSetting& setting, const MethodEntry& method,
                                       const Backbone& backbone) {
    setting.recompute = "default";
    std::vector<PhaseTrial> trials;
    for (auto& phase : training_phases(applied(setting, settings_, "plan"), method)) {
      const Plan plan = make_plan(phase.settings, backbone, phase.method);
      if (trials.empty()) setting.modules = static_cast<std::int64_t>(plan.partition.size());
      trials.push_back({phase.share(), make_trial(phase.settings, backbone, phase.method),
                        plan.recompute, plan.recompute_nets});
    }
    return trials;
  }

  /// The equivalent of add_in_parts() and try_automatic() for all phases together.
  void add_phases_in_parts(PlannedSetting setting, std::vector<PhaseTrial>& phases) {
    for (const auto parts : micro_batch_counts(setting.batch)) {
      setting.micro_batches = parts;
      setting.peak_bytes = 0;
      for (auto& phase : phases) {
        if (setting.recompute == "auto") {
          reduce_peak(phase.trial, setting.batch, bytes_, parts);
        } else if (parts == 1) {
          phase.trial.set_recompute(phase.modules, phase.nets);
        }
        setting.peak_bytes =
            std::max(setting.peak_bytes, phase.trial.peak_bytes(setting.batch, parts));
      }
      setting.fits = bytes_ == 0 || setting.peak_bytes <= bytes_;
      if (parts > 1 && !setting.fits) continue;
      predict_phases(setting, phases);
      report_.settings.push_back(setting);
      if (setting.fits) return;
    }
  }

  void predict_phases(PlannedSetting& setting, std::vector<PhaseTrial>& phases) const {
    setting.step_seconds = 0;
    std::vector<std::int64_t> largest;
    for (auto& phase : phases) {
      PlannedSetting of_phase = setting;
      predict_time(of_phase, phase.trial);
      setting.step_seconds += phase.share * of_phase.step_seconds;
      largest.push_back(of_phase.largest_batch);
    }
    setting.largest_batch = *std::min_element(largest.begin(), largest.end());
  }

  /// Numbers of modules to try: the method's default or the run's setting, then larger ones.
  std::vector<std::int64_t> phased_module_counts(const Backbone& backbone) {
    const std::int64_t given = settings_.get<RunOptions>().modules;
    std::vector<std::int64_t> counts{given};
    if (given > 0 || bytes_ == 0) return counts;
    const auto blocks = static_cast<std::int64_t>(backbone.block_count());
    for (std::int64_t count = 8; count < blocks && count <= 32; count *= 2) counts.push_back(count);
    return counts;
  }

  /// Whether one of the settings from index `first` on fits without micro-batches.
  bool fits_whole(std::size_t first) const {
    return std::any_of(
        report_.settings.begin() + static_cast<std::ptrdiff_t>(first), report_.settings.end(),
        [](const PlannedSetting& setting) { return setting.fits && setting.micro_batches == 1; });
  }

  /// Whole batches come first, since micro-batches change the statistics of batch normalisation.
  static bool better(const PlannedSetting& left, const PlannedSetting& right) {
    if (left.micro_batches != right.micro_batches) return left.micro_batches < right.micro_batches;
    return left.step_seconds < right.step_seconds;
  }

  void try_recompute(const PlannedSetting& setting, Trial& trial, const std::string& recompute) {
    Plan plan = trial.plan();
    plan.recompute.clear();
    plan.recompute_nets.clear();
    set_recompute(plan, parse_recompute(recompute));
    trial.set_recompute(plan.recompute, plan.recompute_nets);
    add_in_parts(setting, trial, recompute);
  }

  /// Adds the setting; if it does not fit, also the smallest number of micro-batches that does.
  void add_in_parts(PlannedSetting setting, Trial& trial, const std::string& recompute) {
    setting.recompute = recompute;
    predict_time(setting, trial);
    for (const auto parts : micro_batch_counts(setting.batch)) {
      predict_peak(setting, trial, parts);
      if (parts == 1 || setting.fits) report_.settings.push_back(setting);
      if (setting.fits) return;
    }
  }

  /// Like add_in_parts(), but searches what to recompute anew for each number of micro-batches, as
  /// training does for its own number.
  void try_automatic(PlannedSetting setting, Trial& trial) {
    setting.recompute = "auto";
    for (const auto parts : micro_batch_counts(setting.batch)) {
      trial.set_recompute({}, {});
      reduce_peak(trial, setting.batch, bytes_, parts);
      predict_peak(setting, trial, parts);
      if (parts == 1 || setting.fits) {
        predict_time(setting, trial);
        report_.settings.push_back(setting);
      }
      if (setting.fits) return;
    }
  }

  void predict_peak(PlannedSetting& setting, const Trial& trial, std::int64_t micro_batches) const {
    setting.micro_batches = micro_batches;
    setting.peak_bytes = trial.peak_bytes(setting.batch, micro_batches);
    setting.fits = bytes_ == 0 || setting.peak_bytes <= bytes_;
  }

  void predict_time(PlannedSetting& setting, Trial& trial) const {
    setting.largest_batch = bytes_ == 0 ? 0 : trial.largest_batch(bytes_);
    const std::int64_t peak = trial.peak_bytes(setting.batch);
    setting.step_seconds = trial.seconds(setting.batch, bytes_ == 0 ? peak / 2 : bytes_);
  }

  Settings settings_;
  std::int64_t bytes_;
  const Report& progress_;
  PlanReport report_;
};

/// The setting as a method spec of `mlaan bench`.
std::string method_spec(const PlannedSetting& setting) {
  return setting.method + ":modules=" + std::to_string(setting.modules) +
         ":partition=" + setting.partition + ":engine.recompute=" + setting.recompute +
         ":engine.micro_batches=" + std::to_string(setting.micro_batches);
}

}  // namespace

PlanReport plan_training(const Settings& settings, const DataSource& data, std::int64_t bytes,
                         bool rivals, const Report& progress) {
  const Backbone backbone = make_backbone(settings, data);
  const std::string& method = settings.get<RunOptions>().method;
  Planner planner(settings, bytes, progress);
  if (rivals) {
    for (const auto& entry : method_registry().entries()) {
      if (entry.end_to_end && entry.name != method) planner.try_method(entry, backbone);
    }
  }
  planner.try_method(method_named(method), backbone);
  return planner.take(method_named(method).name);
}

void measure_settings(const Settings& settings, PlanReport& report, const Report& progress) {
  BenchmarkOptions options;
  options.repeats = 5;
  for (const auto& setting : report.settings) options.methods.push_back(method_spec(setting));
  const auto results = run_benchmark(settings, options, progress);
  for (auto& setting : report.settings) {
    const auto found = std::find_if(results.begin(), results.end(),
                                    [spec = method_spec(setting)](const BenchmarkResult& result) {
                                      return result.spec.text == spec;
                                    });
    if (found == results.end()) throw Error(method_spec(setting) + " was not measured");
    setting.measured_peak_bytes = found->peak_bytes;
    setting.measured_step_seconds = found->step_seconds;
  }
}

Settings applied(const PlannedSetting& setting, const Settings& settings,
                 const std::string& origin) {
  return settings.with({{"method", setting.method},
                        {"modules", std::to_string(setting.modules)},
                        {"partition", setting.partition},
                        {"engine.recompute", setting.recompute},
                        {"engine.micro_batches", std::to_string(setting.micro_batches)}},
                       origin);
}

}  // namespace mlaan
