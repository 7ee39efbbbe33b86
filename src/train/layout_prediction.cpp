// Predicts by simulation what a training step takes on more machines than are at hand.
#include "core/undefined_number.h"
#include "local/operations/follow_module.h"
#include "local/operations/pass_output.h"
#include "local/operations/update_part.h"
#include "local/twin_tensors.h"
#include "train/stage_simulation.h"

#include <mlaan/core/error.h>
#include <mlaan/core/quantity.h>
#include <mlaan/local/cost_report.h>
#include <mlaan/train/layout_prediction.h>
#include <mlaan/train/measured_settings.h>
#include <mlaan/train/options.h>
#include <mlaan/train/setup.h>
#include <mlaan/train/stage_split.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <numeric>
#include <utility>

namespace mlaan {
namespace {

double bytes_of_tensors(const std::vector<NamedTensor>& tensors) {
  return static_cast<double>(byte_count(tensors));
}

/// A method's step in a single process, measured operation by operation.
class MeasuredStep {
 public:
  MeasuredStep(const Settings& settings, const Backbone& backbone, const MethodEntry& method)
      : batch_(settings.get<RunOptions>().batch_size),
        bucket_(static_cast<double>(parse_bytes(settings.get<DistOptions>().bucket))),
        delay_(settings.get<DistOptions>().twin_delay),
        trial_(make_trial_of_run(settings, backbone, method)),
        seconds_(trial_.operation_seconds(batch_, /*images=*/64)),
        peaks_(trial_.peaks(batch_)),
        report_(cost_report(trial_.backbone(), trial_.plan())) {
    const auto& operations = trial_.schedule().operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      seconds_of_[operations[i]->text()] = seconds_[i];
    }
  }

  std::size_t modules() const { return trial_.plan().partition.size(); }

  double step_seconds() const { return std::accumulate(seconds_.begin(), seconds_.end(), 0.0); }

  /// Seconds spent on each module: by forward passes, or by all other operations.
  std::vector<double> module_seconds(bool forward) const {
    std::vector<double> seconds(modules(), 0);
    const auto& operations = trial_.schedule().operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const bool is_forward = operations[i]->activity() == Activity::forward;
      if (is_forward == forward) seconds[operations[i]->module()] += seconds_[i];
    }
    return seconds;
  }

  std::vector<std::size_t> split(std::int64_t stages) const {
    std::vector<double> seconds = module_seconds(true);
    const std::vector<double> others = module_seconds(false);
    for (std::size_t j = 0; j < seconds.size(); ++j) seconds[j] += others[j];
    return stages_of_costs(trial_.plan(), seconds, static_cast<std::size_t>(stages));
  }

  double output_bytes(std::size_t module) const {
    double elements = static_cast<double>(batch_);
    for (const auto size : report_.modules.at(module).output_shape) {
      elements *= static_cast<double>(size);
    }
    return elements * sizeof(float);
  }

  /// Bytes of the trained parameters of the part that an operation updates.
  double part_bytes(const UpdatePart& update) const {
    const Plan& plan = trial_.plan();
    if (update.net()) {
      return bytes_of_tensors(trainable(nets(plan)[*update.net()]->named_parameters()));
    }
    double bytes = 0;
    for (const auto& unit : module_units(plan, trial_.backbone(), update.module())) {
      bytes += bytes_of_tensors(trainable(unit.named_parameters()));
    }
    return bytes;
  }

  /// The work of one stage. \param share fraction of the batch that each rank processes.
  StageLoad load(const Stages& stages, double share) const {
    StageLoad load;
    const Schedule& schedule = trial_.schedule();
    if (stages.is_one()) {
      load.schedule = {schedule.operations, std::vector<bool>(schedule.operations.size(), false)};
    } else {
      load.schedule =
          make_stage_schedule(schedule, stages, followed(stages), delay_, /*overlaps=*/true);
    }
    double open = 0;  // bytes of gradients in the bucket that is being filled
    for (const auto& operation : load.schedule.operations) {
      const auto found = seconds_of_.find(operation->text());
      load.seconds.push_back(found == seconds_of_.end() ? 0 : share * found->second);
      load.bytes.push_back(sent_bytes(*operation));
      const auto* update = dynamic_cast<const UpdatePart*>(operation.get());
      if (update != nullptr) open += part_bytes(*update);
      load.reduced_bytes.push_back(open >= bucket_ ? std::exchange(open, 0) : 0);
    }
    load.reduced_bytes.back() += open;
    return load;
  }

  /// Peak bytes of a rank. It holds all weights; all else is that of its own modules alone.
  std::int64_t peak_bytes(const Stages& stages, const StageLoad& load, double share) const {
    const double weights = bytes_of_tensors(named_parameters(trial_.backbone(), trial_.plan())) +
                           bytes_of_tensors(named_buffers(trial_.backbone(), trial_.plan()));
    double own = 0;
    double all = 0;
    double highest = 0;
    const auto& operations = trial_.schedule().operations;
    for (std::size_t i = 0; i < operations.size(); ++i) {
      const bool is_own = stages.of_module(operations[i]->module()) == stages.own;
      const auto* update = dynamic_cast<const UpdatePart*>(operations[i].get());
      if (update != nullptr) (is_own ? own : all) += part_bytes(*update);
      if (!is_own) continue;
      const auto above = static_cast<double>(peaks_[i].bytes - trial_.resting_bytes());
      highest = std::max(highest, share * above);
    }
    all += own;
    const double state = static_cast<double>(trial_.resting_bytes()) - weights;
    double messages = 0;
    for (std::size_t i = 0; i < load.bytes.size(); ++i) {
      const auto* receives = dynamic_cast<const ReceiveOutput*>(load.schedule.operations[i].get());
      messages += 2 * load.bytes[i];
      if (receives != nullptr) messages += output_bytes(receives->module());
    }
    return static_cast<std::int64_t>(weights + (all > 0 ? state * own / all : 0) + highest +
                                     messages);
  }

  std::int64_t delay() const { return delay_; }
  std::int64_t batch() const { return batch_; }
  std::int64_t whole_peak() const { return trial_.peak_bytes(batch_); }
  double activation_bytes(std::size_t module) const {
    return static_cast<double>(report_.modules.at(module).cost.activation_bytes * batch_);
  }
  double parameter_bytes(std::size_t module) const {
    return sizeof(float) * static_cast<double>(report_.modules.at(module).cost.parameters);
  }

 private:
  double sent_bytes(const Operation& operation) const {
    const auto* passes = dynamic_cast<const ChannelOperation*>(&operation);
    if (passes == nullptr || !passes->sends()) return 0;
    const bool are_parameters = dynamic_cast<const SendParameters*>(&operation) != nullptr;
    return are_parameters ? parameter_bytes(operation.module()) : output_bytes(operation.module());
  }

  /// The modules that twins follow, with the stages that have twins of them.
  FollowedModules followed(const Stages& stages) const {
    std::vector<std::string> names;
    for (const auto& net : nets(trial_.plan())) names.push_back(net->name());
    return followed_modules(twin_tensors(trial_.backbone(), trial_.plan()), stages,
                            stages_of_nets(trial_.schedule(), stages, names));
  }

  std::int64_t batch_;
  double bucket_;
  std::int64_t delay_;
  Trial trial_;
  std::vector<double> seconds_;
  std::vector<OperationPeak> peaks_;
  CostReport report_;
  std::map<std::string, double> seconds_of_;
};

std::string name_of_layout(const std::string& method, std::int64_t stages, std::int64_t replicas) {
  const auto count = [](std::int64_t number, const std::string& one) {
    return std::to_string(number) + " " + one + (number == 1 ? "" : "s");
  };
  return method + ", " + count(stages, "stage") + " of " + count(replicas, "replica");
}

PredictedStage predicted(const SimulatedStage& simulated, const Stages& stages,
                         std::size_t modules) {
  PredictedStage stage;
  stage.first_module = static_cast<std::int64_t>(stages.first_modules[stages.own]) + 1;
  stage.last_module = static_cast<std::int64_t>(stages.end_of(stages.own, modules));
  stage.busy_seconds = simulated.busy_seconds;
  stage.waiting_seconds = simulated.waiting_seconds;
  stage.bytes_sent = simulated.bytes_sent;
  return stage;
}

/// \param shared number of ranks that the run's batch is divided among.
PredictedLayout predict_stages(const MeasuredStep& step, const std::string& method,
                               std::int64_t stages, std::int64_t replicas, std::int64_t shared,
                               const NetworkSpeed& network) {
  const double share = 1 / static_cast<double>(shared);
  std::vector<StageLoad> loads;
  Stages of_stage;
  of_stage.first_modules = step.split(stages);
  for (of_stage.own = 0; of_stage.own < of_stage.count(); ++of_stage.own) {
    loads.push_back(step.load(of_stage, share));
  }
  const SimulatedSteps steps = simulate_stages(loads, network, step.delay(), replicas);
  PredictedLayout layout{name_of_layout(method, stages, replicas),
                         steps.step_seconds,
                         step.batch() * replicas / shared,
                         {}};
  for (of_stage.own = 0; of_stage.own < of_stage.count(); ++of_stage.own) {
    layout.stages.push_back(predicted(steps.stages[of_stage.own], of_stage, step.modules()));
    layout.stages.back().peak_bytes = stages == 1 && shared == 1
                                          ? step.whole_peak()
                                          : step.peak_bytes(of_stage, loads[of_stage.own], share);
  }
  return layout;
}

/// Predicts end-to-end training in pipeline stages (1F1B).
PredictedLayout predict_pipeline(const MeasuredStep& step, const LayoutRequest& request) {
  Stages stages;
  stages.first_modules = step.split(request.stages);
  const auto forward_of = step.module_seconds(true);
  const auto backward_of = step.module_seconds(false);
  const std::int64_t parts = std::clamp<std::int64_t>(4 * request.stages, 1, step.batch());
  std::vector<double> forward(stages.count(), 0);
  std::vector<double> backward(stages.count(), 0);
  std::vector<double> boundary;
  std::vector<double> activations(stages.count(), 0);
  std::vector<double> parameters(stages.count(), 0);
  for (std::size_t j = 0; j < step.modules(); ++j) {
    const std::size_t s = stages.of_module(j);
    forward[s] += forward_of[j];
    backward[s] += backward_of[j];
    activations[s] += step.activation_bytes(j);
    parameters[s] += step.parameter_bytes(j);
    if (j + 1 < step.modules() && stages.is_border(j)) boundary.push_back(step.output_bytes(j));
  }
  SimulatedSteps steps =
      simulate_one_forward_one_backward(forward, backward, boundary, parts, request.network);
  double reduction = 0;
  for (std::size_t s = 0; s < stages.count(); ++s) {
    reduction = std::max(reduction, ring_seconds(parameters[s], request.replicas, request.network));
    steps.stages[s].bytes_sent += ring_bytes(parameters[s], request.replicas);
  }
  if (request.replicas == 1) reduction = 0;
  PredictedLayout layout{
      name_of_layout("e2e by 1F1B in " + std::to_string(parts) + " micro-batches", request.stages,
                     request.replicas),
      steps.step_seconds + reduction,
      step.batch() * request.replicas,
      {}};
  for (std::size_t s = 0; s < stages.count(); ++s) {
    stages.own = s;
    layout.stages.push_back(predicted(steps.stages[s], stages, step.modules()));
    layout.stages.back().waiting_seconds += reduction;
    const auto alive = static_cast<double>(
        std::min<std::int64_t>(parts, static_cast<std::int64_t>(stages.count() - s)));
    layout.stages.back().peak_bytes = static_cast<std::int64_t>(
        3 * parameters[s] + alive * activations[s] / static_cast<double>(parts));
  }
  return layout;
}

/// Parses "10Gbit": the number times the value of its unit; NaN if the text is malformed.
double in_units(const std::string& text, const std::map<std::string, double>& units) {
  char* end = nullptr;
  const double number = std::strtod(text.c_str(), &end);
  const auto unit = units.find(end);
  const bool is_read = end != text.c_str() && unit != units.end();
  return is_read ? number * unit->second : undefined_number;
}

const MethodEntry& end_to_end() {
  const auto& entries = method_registry().entries();
  return *std::find_if(entries.begin(), entries.end(),
                       [](const MethodEntry& entry) { return entry.end_to_end; });
}

}  // namespace

std::vector<PredictedLayout> predict_layouts(
    const Settings& asked, const LayoutRequest& request,
    const std::function<void(const std::string&)>& progress) {
  const DataSource data = make_data(asked);
  const Settings settings = with_faster_memory_format(asked, data);
  const Backbone backbone = make_backbone(settings, data);
  const MethodEntry method = method_named(settings.get<RunOptions>().method);
  if (method.phases) {
    throw UserError("the layout of " + method.name +
                    ", which has phases, is not predicted; ask for the method of each phase");
  }
  const std::int64_t ranks = request.stages * request.replicas;
  std::vector<PredictedLayout> layouts;
  progress("measuring " + method.name);
  {
    const MeasuredStep step(settings, backbone, method);
    layouts.push_back(predict_stages(step, method.name, 1, 1, 1, request.network));
    layouts.push_back(
        predict_stages(step, method.name, request.stages, request.replicas, 1, request.network));
    layouts.push_back(predict_stages(step, method.name + " with the batch shared out", 1, ranks,
                                     request.stages, request.network));
  }
  progress("measuring " + end_to_end().name);
  const MeasuredStep step(settings, backbone, end_to_end());
  layouts.push_back(predict_pipeline(step, request));
  layouts.push_back(predict_stages(step, "e2e with the batch shared out", 1, ranks, request.stages,
                                   request.network));
  return layouts;
}

double parse_bandwidth(const std::string& text) {
  const double bytes =
      in_units(text, {{"Gbit", 1e9 / 8}, {"Mbit", 1e6 / 8}, {"GB", 1e9}, {"MB", 1e6}});
  if (bytes > 0) return bytes;
  throw UserError("'" + text +
                  "' is not a bandwidth; accepted: a number and Gbit, Mbit, GB or MB, per second, "
                  "such as 10Gbit");
}

double parse_latency(const std::string& text) {
  const double seconds = in_units(text, {{"us", 1e-6}, {"ms", 1e-3}, {"s", 1}});
  if (seconds >= 0) return seconds;
  throw UserError("'" + text +
                  "' is not a latency; accepted: a number and us, ms or s, such as 50us");
}

}  // namespace mlaan
