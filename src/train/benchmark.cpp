// Measures steps of several methods in turn: time, bytes and multiply-adds.
#include "measure/timing.h"

#include <mlaan/core/error.h>
#include <mlaan/local/method.h>
#include <mlaan/measure/cost.h>
#include <mlaan/train/benchmark.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/phases.h>
#include <mlaan/train/setup.h>

#include <algorithm>
#include <cmath>
#include <memory>

namespace mlaan {
namespace {

bool is_reference(const MethodSpec& spec) {
  return spec.method == reference_method() && spec.settings.empty();
}

/// Copies the batch into the engine's memory format once, so that no step has to.
Batch laid_out(const Batch& batch, torch::MemoryFormat format) {
  const measure::MemoryKindScope kind(measure::MemoryKind::data);
  return {batch.images.contiguous(format), batch.labels};
}

/// A method that is measured, or one phase of it.
class Contestant {
 public:
  Contestant(TrainingPhase phase, const DataSource& data, const Batch& batch,
             const MethodSpec& spec)
      : settings_(std::move(phase.settings)),
        batch_(laid_out(batch, memory_format(settings_))),
        device_(batch.images.device()),
        bytes_before_(measure::read_memory(device_).live),
        engine_(make_engine(settings_, data, phase.method, is_reference(spec))) {
    result_.spec = spec;
    result_.phase = phase.name;
    result_.share = phase.share();
    result_.model = settings_.get<RunOptions>().model;
    result_.device = settings_.get<RunOptions>().device;
    result_.modules = static_cast<std::int64_t>(engine_.plan().partition.size());
    result_.window = static_cast<std::int64_t>(longest_window(engine_.plan()));
    result_.batch = batch.labels.size(0);
    result_.parameters = element_count(engine_.backbone().named_parameters());
    result_.auxiliary_parameters = element_count(engine_.named_parameters()) - result_.parameters;
  }

  /// Takes one step and waits for the device. \return seconds.
  double step() {
    const auto start = Clock::now();
    engine_.step(batch_.images, batch_.labels);
    wait_for(device_);
    return seconds_since(start);
  }

  /// Measures peak bytes and multiply-adds; times are measured in time_rounds().
  BenchmarkResult measure_bytes_and_work() {
    // The first step allocates the optimizers' state; the second already runs with it.
    step();
    step();
    measure::reset_peak(device_);
    const int steps = steps_that_show_all();
    for (int i = 0; i < steps; ++i) step();
    const auto reading = measure::read_memory(device_);
    result_.peak_bytes = reading.peak - bytes_before_;
    result_.peak_by_kind = reading.peak_by_kind;
    const measure::MultiplyAddCounter counter;
    for (int i = 0; i < steps; ++i) step();
    result_.multiply_adds = counter.count() / result_.batch / steps;
    result_.executed_multiply_adds = counter.executed() / result_.batch / steps;
    return result_;
  }

  StepProfile profile(std::int64_t steps) {
    StepProfile profile = profile_step(engine_, batch_.images, batch_.labels, steps, bytes_before_);
    profile.method = result_.spec.text;
    if (!result_.phase.empty()) profile.method += ", phase " + result_.phase;
    return profile;
  }

 private:
  /// 1; or 10 where supervisions are evaluated at random, so that each is likely to be evaluated.
  int steps_that_show_all() const {
    const auto& supervisions = engine_.plan().supervisions;
    const bool random =
        std::any_of(supervisions.begin(), supervisions.end(),
                    [](const Supervision& supervision) { return supervision.probability < 1; });
    return random ? 10 : 1;
  }

  static Engine make_engine(const Settings& settings, const DataSource& data,
                            const MethodEntry& method, bool is_reference) {
    Backbone backbone = make_backbone(settings, data);
    Plan plan = is_reference ? make_bare_plan(settings, backbone, method)
                             : make_plan(settings, backbone, method);
    return Engine(std::move(backbone), std::move(plan), make_engine_options(settings));
  }

  Settings settings_;  ///< the run's settings with those of the method and the phase
  Batch batch_;
  torch::Device device_;
  std::int64_t bytes_before_;
  Engine engine_;
  BenchmarkResult result_;
};

/// Seconds of each method's steps. Only rounds in which every method took its step count.
std::vector<std::vector<double>> time_rounds(
    const std::vector<std::unique_ptr<Contestant>>& contestants, const BenchmarkOptions& options,
    const std::function<void(const std::string&)>& progress,
    const std::function<bool()>& should_stop) {
  std::vector<std::vector<double>> seconds(contestants.size());
  for (std::int64_t round = -options.warmup; round < options.repeats; ++round) {
    progress(round < 0
                 ? "warm-up"
                 : "round " + std::to_string(round + 1) + " of " + std::to_string(options.repeats));
    std::vector<double> of_round;
    for (const auto& contestant : contestants) {
      if (should_stop && should_stop()) return seconds;
      of_round.push_back(contestant->step());
    }
    if (round < 0) continue;
    for (std::size_t i = 0; i < contestants.size(); ++i) seconds[i].push_back(of_round[i]);
  }
  return seconds;
}

void set_times(BenchmarkResult& result, const std::vector<double>& seconds) {
  result.steps = static_cast<std::int64_t>(seconds.size());
  result.step_seconds = median(seconds);
  result.step_seconds_lowest = *std::min_element(seconds.begin(), seconds.end());
  result.step_seconds_highest = *std::max_element(seconds.begin(), seconds.end());
  result.images_per_second = static_cast<double>(result.batch) / result.step_seconds;
}

Batch take_batch(const Settings& settings, const DataSource& data) {
  const auto loader = make_train_loader(settings, data, all_indices(*data.train));
  loader->start(0);
  Batch batch = *loader->next();
  const torch::Device device = parse_device(settings.get<RunOptions>().device);
  return {batch.images.to(device), batch.labels.to(device)};
}

/// Settles the memory format of batches, by measuring if the settings leave it open.
Settings settled(const Settings& asked, const DataSource& data,
                 const std::function<void(const std::string&)>& progress) {
  Settings settings = with_faster_memory_format(asked, data);
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

/// One phase of one of the methods compared.
struct SpecPhase {
  std::size_t spec = 0;
  TrainingPhase phase;
};

/// The phases of every method, in the methods' order.
std::vector<SpecPhase> phases_of(const Settings& run, const std::vector<MethodSpec>& specs) {
  std::vector<SpecPhase> all;
  for (std::size_t s = 0; s < specs.size(); ++s) {
    for (auto& phase : training_phases(specs[s].applied_to(run), method_named(specs[s].method))) {
      all.push_back({s, std::move(phase)});
    }
  }
  return all;
}

/// Checks all methods before the first is measured, and throws for one that cannot be.
void check_measurable(const Settings& run, const DataSource& data,
                      const std::vector<MethodSpec>& specs) {
  const std::int64_t batch = run.get<RunOptions>().batch_size;
  if (data.train->size() < batch) {
    throw UserError("batch_size = " + std::to_string(batch) + " is more than the " +
                    std::to_string(data.train->size()) + " training images of " + data.name);
  }
  const Backbone backbone = make_backbone(run, data);
  for (auto& [spec, phase] : phases_of(run, specs)) {
    check(make_bare_plan(phase.settings, backbone, phase.method), backbone);
  }
}

/// The result of a method with phases: multiply-adds averaged over the training, the highest peak.
BenchmarkResult together(std::vector<BenchmarkResult> parts) {
  if (parts.size() == 1) return parts.front();
  BenchmarkResult whole = parts.front();
  whole.phase.clear();
  whole.share = 1;
  double multiply_adds = 0;
  double executed = 0;
  for (const auto& phase : parts) {
    multiply_adds += phase.share * static_cast<double>(phase.multiply_adds);
    executed += phase.share * static_cast<double>(phase.executed_multiply_adds);
    whole.window = std::max(whole.window, phase.window);
    whole.auxiliary_parameters = std::max(whole.auxiliary_parameters, phase.auxiliary_parameters);
    if (phase.peak_bytes <= whole.peak_bytes) continue;
    whole.peak_bytes = phase.peak_bytes;
    whole.peak_by_kind = phase.peak_by_kind;
  }
  whole.multiply_adds = std::llround(multiply_adds);
  whole.executed_multiply_adds = std::llround(executed);
  whole.phases = std::move(parts);
  return whole;
}

/// The step times of a method, averaged over its phases in each round.
std::vector<double> average_seconds(const std::vector<std::vector<double>>& seconds,
                                    const std::vector<double>& shares) {
  std::vector<double> average(seconds.front().size(), 0);
  for (std::size_t p = 0; p < seconds.size(); ++p) {
    for (std::size_t round = 0; round < average.size(); ++round) {
      average[round] += shares[p] * seconds[p][round];
    }
  }
  return average;
}

/// The median of the ratios within each round: a shared machine's speed changes between rounds.
double median_ratio(const std::vector<double>& seconds, const std::vector<double>& reference) {
  std::vector<double> ratios;
  for (std::size_t round = 0; round < seconds.size(); ++round) {
    ratios.push_back(seconds[round] / reference[round]);
  }
  return median(std::move(ratios));
}

/// Sets a result's ratios to the reference, and those of its phases. \param seconds of its steps.
void compare_with_reference(BenchmarkResult& result, const std::vector<double>& seconds,
                            const BenchmarkResult& reference,
                            const std::vector<double>& reference_seconds) {
  result.reference = reference.spec.text;
  result.time_ratio = median_ratio(seconds, reference_seconds);
  result.peak_ratio =
      static_cast<double>(result.peak_bytes) / static_cast<double>(reference.peak_bytes);
  result.multiply_add_ratio =
      static_cast<double>(result.multiply_adds) / static_cast<double>(reference.multiply_adds);
}

/// Sets times and ratios. \param seconds of each phase of each method, in order.
void set_times(std::vector<BenchmarkResult>& results,
               const std::vector<std::vector<double>>& seconds) {
  std::vector<std::vector<double>> averages;
  std::size_t next = 0;
  for (auto& result : results) {
    std::vector<std::vector<double>> of_phases;
    std::vector<double> shares;
    const std::size_t count = std::max<std::size_t>(1, result.phases.size());
    for (std::size_t p = 0; p < count; ++p) {
      of_phases.push_back(seconds[next++]);
      shares.push_back(result.phases.empty() ? 1 : result.phases[p].share);
      if (!result.phases.empty()) set_times(result.phases[p], of_phases.back());
    }
    averages.push_back(average_seconds(of_phases, shares));
    set_times(result, averages.back());
  }
  const auto found =
      std::find_if(results.begin(), results.end(),
                   [](const BenchmarkResult& result) { return is_reference(result.spec); });
  const BenchmarkResult reference = *found;
  const auto& reference_seconds = averages[static_cast<std::size_t>(found - results.begin())];
  next = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    compare_with_reference(results[i], averages[i], reference, reference_seconds);
    for (auto& phase : results[i].phases) {
      compare_with_reference(phase, seconds[next++], reference, reference_seconds);
    }
    if (results[i].phases.empty()) ++next;
  }
}

}  // namespace

std::vector<BenchmarkResult> run_benchmark(const Settings& asked, const BenchmarkOptions& options,
                                           const std::function<void(const std::string&)>& progress,
                                           const std::function<bool()>& should_stop) {
  const auto specs = with_reference(options.methods);
  const DataSource data = make_data(asked);
  check_measurable(asked, data, specs);
  const Settings settings = settled(asked, data, progress);
  const Batch batch = take_batch(settings, data);
  std::vector<std::vector<BenchmarkResult>> phases(specs.size());
  for (auto& [spec, phase] : phases_of(settings, specs)) {
    if (should_stop && should_stop()) return {};
    progress("bytes and multiply-adds of " + phase_text(specs[spec].text, phase));
    phases[spec].push_back(
        Contestant(std::move(phase), data, batch, specs[spec]).measure_bytes_and_work());
  }
  std::vector<BenchmarkResult> results;
  for (auto& of_spec : phases) results.push_back(together(std::move(of_spec)));

  std::vector<std::unique_ptr<Contestant>> contestants;
  for (auto& [spec, phase] : phases_of(settings, specs)) {
    contestants.push_back(std::make_unique<Contestant>(std::move(phase), data, batch, specs[spec]));
  }
  const auto seconds = time_rounds(contestants, options, progress, should_stop);
  if (seconds.front().empty()) return {};
  set_times(results, seconds);
  return results;
}

std::vector<StepProfile> run_profiles(const Settings& asked, const BenchmarkOptions& options,
                                      const std::function<void(const std::string&)>& progress) {
  const auto specs = with_reference(options.methods);
  const DataSource data = make_data(asked);
  check_measurable(asked, data, specs);
  const Settings settings = settled(asked, data, progress);
  const Batch batch = take_batch(settings, data);
  std::vector<StepProfile> profiles;
  for (auto& [spec, phase] : phases_of(settings, specs)) {
    progress("profile of " + phase_text(specs[spec].text, phase));
    profiles.push_back(
        Contestant(std::move(phase), data, batch, specs[spec]).profile(options.repeats));
  }
  return profiles;
}

}  // namespace mlaan
